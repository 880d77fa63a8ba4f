"""`log-stream`: the base session created a log stream of that notebook instance, `NAME/…`.

Source: the execution role needs logs:CreateLogStream for the logs of a notebook instance, so its session makes the call.
https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html
Of a refused call IAM's message has the stream. The log groups of jobs, endpoints and Studio name what isn't a notebook
instance.

Limits: we infer that the kernel's clients use the same session. We didn't see it on AWS. A stream is
made once, so the sessions behind the first have no such call. The user can create a stream of any name that the role may.
One that failed counts nothing, unless it was refused or the stream was there already.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...calls.table import CallTable
from .named import Named, of_name

_ROOT = "/aws/sagemaker/"
_OF_NOTEBOOKS = "NotebookInstances"
_OTHERS = {
    "TrainingJobs": "training job",
    "ProcessingJobs": "processing job",
    "TransformJobs": "transform job",
    "LabelingJobs": "labeling job",
    "studio": "Studio's app",
}


def named(table: CallTable, row: int) -> Iterator[Named]:
    """Yield of what the call created a log stream."""
    clues = table.clues.get(row)
    if clues is None or clues.log_stream is None:
        return
    group, stream = clues.log_stream
    if not group.startswith(_ROOT):
        return
    kind, _, rest = group.removeprefix(_ROOT).partition("/")
    first = stream.partition("/")[0]
    if kind == _OF_NOTEBOOKS:
        if thing := of_name(first):
            yield thing
    elif kind == "Endpoints" and rest:  # the group is the endpoint's, its streams are the variants'
        yield Named(f"endpoint {rest}", is_notebook=False)
    else:
        what = stream if kind == "studio" else first
        yield Named(f"{_OTHERS.get(kind, f'log group {group},')} {what}", is_notebook=False)
