"""The API's addresses: list and start workflows, read runs. Everything within the token's team."""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest, JsonResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations.core.body_limits import takes_from_anybody
from integrations.core.errors import InvalidInputError
from integrations.framework.base import Door
from integrations.models import Team
from workflows.api.protocol import (
    LONGEST_BODY,
    BearerAuthentication,
    ExactJSONParser,
    ExactJSONRenderer,
    MayRead,
    MayStart,
    NewestFirst,
    PerToken,
    Query,
    TooLongError,
    check_query,
    one_of,
    whole,
)
from workflows.api.serializers import RunDetailSerializer, RunSerializer, WorkflowSerializer
from workflows.api.tokens import Bearer
from workflows.definitions import start_values
from workflows.models import Run, Workflow
from workflows.triggers import idempotency, schedules, starting
from workflows.triggers.idempotency import Outcome

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class _ApiView(APIView):
    """What all API views share."""

    authentication_classes = (BearerAuthentication,)
    permission_classes: tuple[Any, ...] = (MayRead,)
    throttle_classes = (PerToken,)
    parser_classes = (ExactJSONParser,)
    renderer_classes = (ExactJSONRenderer,)
    #: The query parameters that the address takes.
    query: ClassVar[Query] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authentication and permissions, then the query parameters."""
        super().initial(request, *args, **kwargs)
        check_query(request, self.query)

    def workflows(self) -> QuerySet[Workflow]:
        """The workflows of the token's team that are not deleted."""
        found: QuerySet[Workflow] = Workflow.objects.for_team(_team(self.request)).select_related("published")
        return found

    def runs(self) -> QuerySet[Run]:
        """The runs of the token's team."""
        found: QuerySet[Run] = Run.objects.for_team(_team(self.request)).select_related("version")
        return found


class Workflows(_ApiView, generics.ListAPIView[Workflow]):
    """The team's workflows, the newest first."""

    serializer_class = WorkflowSerializer
    pagination_class = NewestFirst
    query = NewestFirst.query

    def get_queryset(self) -> QuerySet[Workflow]:
        """Those of the token's team."""
        return self.workflows()


class OneWorkflow(_ApiView, generics.RetrieveAPIView[Workflow]):
    """One workflow, with the values that it asks for when it is started."""

    serializer_class = WorkflowSerializer
    lookup_url_kwarg = "workflow_id"

    def get_queryset(self) -> QuerySet[Workflow]:
        """Those of the token's team."""
        return self.workflows()


class StartWorkflow(_ApiView):
    """Start a workflow: the body is a JSON object with the values that it asks for.

    With an Idempotency-Key the same call may be sent again for 24 hours: it runs once and gets the same answer.
    """

    permission_classes = (MayStart,)

    @extend_schema(
        parameters=[OpenApiParameter("Idempotency-Key", OpenApiTypes.STR, OpenApiParameter.HEADER)],
        request=OpenApiTypes.OBJECT,
        responses={
            202: OpenApiResponse(OpenApiTypes.OBJECT, description="Started: `run` is the number of the run."),
            400: OpenApiResponse(description="The values do not fit; `problems` says which and why."),
            409: OpenApiResponse(description="Not switched on; or the key is in use, or was used with another body."),
        },
    )
    def post(self, request: Request, workflow_id: int) -> Response:
        """Start it once."""
        body: bytes = request._request.body
        workflow = generics.get_object_or_404(self.workflows(), pk=workflow_id)
        values = request.data
        if not isinstance(values, dict):
            return Response({"detail": "Send a JSON object with the values that the workflow asks for."}, status=400)
        key = request.headers.get("Idempotency-Key", "")
        if key and not _KEY.fullmatch(key):
            return Response({"detail": "An Idempotency-Key has 1 to 255 printable ASCII characters."}, status=400)
        try:
            operation = start_values.opens(workflow, Door.API).full_key
            data = start_values.cleaned(start_values.fields_of(workflow), values, zone=schedules.default_zone(workflow))
        except start_values.NotStartedError as error:
            return Response({"detail": error.message}, status=409)
        except InvalidInputError as error:
            return Response({"detail": "The values do not fit.", "problems": error.problems}, status=400)

        def do(name: str) -> Outcome:
            run = starting.start(workflow, operation=operation, key=name, data=data, by=request.auth.user)
            return Outcome(202, {"run": run.pk if run else None})

        try:
            if key:
                sha256 = hashlib.sha256(body).hexdigest()
                outcome = idempotency.once(workflow, key=key, body_sha256=sha256, do=do)
            else:
                outcome = do(f"api:{uuid.uuid4()}")
        except start_values.NotStartedError as error:
            return Response({"detail": error.message}, status=409)
        except idempotency.ConflictError as error:
            headers = {"Retry-After": "1"} if error.is_passing else {}
            return Response({"detail": error.message}, status=409, headers=headers)
        return _answered(request, outcome)


def _too_long(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"detail": TooLongError.default_detail}, status=TooLongError.status_code)


start = takes_from_anybody(LONGEST_BODY, too_long=_too_long)(StartWorkflow.as_view())


def _team(request: Request) -> Team | None:
    """The token's team; None while the schema is described, when nobody calls."""
    return request.auth.team if isinstance(request.auth, Bearer) else None


def _answered(request: Request, outcome: Outcome) -> Response:
    run = Run.objects.for_team(_team(request)).filter(pk=outcome.answer["run"]).select_related("version").first()
    told = {**outcome.answer, "details": RunSerializer(run).data if run else None}
    headers = {"Idempotent-Replayed": "true"} if outcome.is_repeated else {}
    return Response(told, status=outcome.status, headers=headers)


class Runs(_ApiView, generics.ListAPIView[Run]):
    """The team's runs, the newest first; `?workflow=` and `?status=` filter them; other parameters are refused."""

    serializer_class = RunSerializer
    pagination_class = NewestFirst
    query: ClassVar[Query] = {
        **NewestFirst.query,
        "workflow": whole(1, 2**63 - 1),
        "status": one_of(*Run.Status.values),
    }

    @extend_schema(
        parameters=[
            OpenApiParameter("workflow", OpenApiTypes.INT),
            OpenApiParameter("status", OpenApiTypes.STR, enum=Run.Status.values),
        ]
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """A page of runs."""
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Run]:
        """Those of the token's team that are asked for."""
        found = self.runs()
        workflow, status = self.request.query_params.get("workflow"), self.request.query_params.get("status")
        if workflow is not None:
            found = found.filter(workflow=int(workflow))
        return found.filter(status=status) if status is not None else found


class OneRun(_ApiView, generics.RetrieveAPIView[Run]):
    """One run with its data and its steps."""

    serializer_class = RunDetailSerializer
    lookup_url_kwarg = "run_id"

    def get_queryset(self) -> QuerySet[Run]:
        """Those of the token's team."""
        return self.runs().select_related("event").prefetch_related("step_runs")
