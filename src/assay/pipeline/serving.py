"""Bring up the endpoints that behaviour checks talk to: the candidate's and the approved model's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from assay.core.config import EndpointSection
from assay.core.subject import Subject
from assay.pipeline.project import LoadedProject


@contextmanager
def endpoints(
    project: LoadedProject, model: Subject, baseline: Subject | None, logs: Path
) -> Iterator[tuple[Subject, Subject | None]]:
    """Endpoint subjects for the candidate and the baseline, served for as long as the block runs.

    With `endpoint.serve` both models are started by the user's own command; otherwise `endpoint.url`
    and `endpoint.baseline_url` are believed to serve them.

    Args:
        project: the project.
        model: the candidate's model; `artifact.scan` must have passed on it.
        baseline: the approved model, or None on a first release.
        logs: a folder for what the servers print.

    Raises:
        EndpointError: a server does not come up.
    """
    section = project.config.endpoint
    if section is None:
        raise AssertionError("planned only where an endpoint is configured")
    name = section.model or project.config.model.name
    if section.serve is None:
        served = Subject.from_endpoint(section.url, name, serves=model)
        other = (
            Subject.from_endpoint(section.baseline_url, name, serves=baseline)
            if baseline and section.baseline_url
            else None
        )
        yield served, other
        return
    with ExitStack() as stack:
        urls = [_serve(stack, project, section, part, logs) if part else None for part in (model, baseline)]
        subjects = [
            Subject.from_endpoint(url, name, serves=part) if url else None
            for url, part in zip(urls, (model, baseline), strict=True)
        ]
        first = subjects[0]
        if first is None:
            raise AssertionError("the candidate is always served")
        yield first, subjects[1]


def _serve(
    stack: ExitStack, project: LoadedProject, section: EndpointSection, model: Subject, logs: Path
) -> str:
    from assay.subjects.endpoint import ServedModel  # noqa: PLC0415  start-up

    serve = section.serve
    if serve is None:
        raise AssertionError("called only with a serve section")
    log = logs / f"serve-{model.sha256[:12]}.log"
    served = ServedModel(
        serve.command,
        model.path,
        ready=serve.ready,
        start_timeout=serve.start_timeout,
        log=log,
        cwd=project.root,
    )
    return stack.enter_context(served).url
