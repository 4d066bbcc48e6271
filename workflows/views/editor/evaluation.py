"""What a form's fields give while they are being filled in: asked for by its scripts, in one request for all."""

from __future__ import annotations

from dataclasses import asdict

from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.http import require_POST

from integrations.teams.access import Can, allow
from workflows.definitions.tree import Place
from workflows.forms.control_values import Evaluation
from workflows.presenters.editor.available_values import available_values
from workflows.views.common import place_of, steps_of, workflow_or_404
from workflows.views.editor.step_order import asked_place, step_or_404

_MOST_FIELDS = 60


@require_POST
@allow(Can.BUILD)
def evaluate(request: HttpRequest, workflow_id: int) -> JsonResponse:
    """The value, kind and error of each `source` with the sample; `each` is the list that its row is repeated for.

    `?step=`, or `?parent=` and `?before=`, say where the form stands. Nothing is stored.
    """
    workflow = workflow_or_404(request, workflow_id)
    steps = steps_of(workflow)
    asked = request.GET.get("step", "")
    if asked and not asked.isdecimal():
        raise Http404("There is no such step.")
    if asked:
        step = step_or_404(request, workflow_id, int(asked))[1]
        place = place_of(step, Place(step.parent))
    else:
        place = asked_place(request, workflow)
    evaluation = Evaluation(available_values(workflow, steps, place))
    sources = request.POST.getlist("source")[:_MOST_FIELDS]
    lists = [*request.POST.getlist("each"), *([""] * len(sources))]
    given = [asdict(evaluation.given(source, each)) for source, each in zip(sources, lists, strict=False)]
    return JsonResponse({"given": given})
