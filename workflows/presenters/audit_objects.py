"""What entries of the audit trail are about, of workflows and what belongs to them, and where it is shown."""

from __future__ import annotations

from django.urls import reverse

from integrations.audit.objects import ObjectKind
from workflows.models import Batch, LookupTable, Reconciliation, Run, Workflow

KINDS = (
    ObjectKind(
        "workflow",
        "Workflow",
        address=lambda pk: reverse("workflow", args=[pk]),
        rows=lambda team: Workflow.objects.filter(team=team),  # a deleted one still has its page
        plural="Workflows",
    ),
    ObjectKind(
        "run",
        "Run",
        address=lambda pk: reverse("run", args=[pk]),
        rows=lambda team: Run.objects.filter(team=team),
    ),
    ObjectKind(
        "batch",
        "Many runs",
        address=lambda pk: reverse("batch", args=[pk]),
        rows=lambda team: Batch.objects.filter(team=team),
    ),
    ObjectKind(
        "lookuptable",
        "Lookup table",
        address=lambda pk: reverse("lookup_table", args=[pk]),
        rows=lambda team: LookupTable.objects.filter(team=team),
    ),
    ObjectKind(
        "reconciliation",
        "Reconciliation",
        address=lambda pk: reverse("reconciliation", args=[pk]),
        rows=lambda team: Reconciliation.objects.filter(team=team),
    ),
    ObjectKind("approvalrequest", "Request for approval", address=lambda pk: reverse("approval", args=[pk])),
    ObjectKind("teamguards", "Guards", address=lambda pk: reverse("guards")),
    ObjectKind("policyversion", "Policy", address=lambda pk: reverse("policy")),
    ObjectKind("api token", "API token", address=lambda pk: reverse("api_tokens")),
    ObjectKind("documents", "Page", address=lambda pk: reverse("documents")),
)
