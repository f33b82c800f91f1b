"""What `handlerkit serve` says when it has started: where everything is, with commands to paste."""

from collections.abc import Iterator

from lambda_emulator.cloudformation_values import REGION
from lambda_emulator.handler_hints import hint, is_missing
from lambda_emulator.live_lines import Line
from lambda_emulator.project import Project, ProjectFunction
from lambda_emulator.project_links import links_without_functions
from lambda_emulator.serve_options import ServeOptions
from lambda_emulator.serving import Serving

__all__ = ["announcement"]


def announcement(
    project: Project, serving: Serving, options: ServeOptions, invoke_url: str, aws_url: str | None
) -> Iterator[Line]:
    """Lines for the live view; the last one says that it is ready."""
    names = [function.name for function in project.functions]
    yield _bare(f"{project.file.name}: {', '.join(names)}")
    yield from notes(project, options)
    yield _bare(f"Invoke endpoint: {invoke_url}")
    # --payload reads bytes, which the AWS CLI 1 and 2 take alike; unsigned, it needs no credentials.
    yield _bare(
        f"  echo '{{}}' | aws lambda invoke --endpoint-url {invoke_url} --no-sign-request --region {REGION} "
        f"--function-name {names[0]} --payload fileb:///dev/stdin /dev/stdout"
    )
    yield _bare(f'  boto3.client("lambda", "{REGION}", endpoint_url="{invoke_url}").invoke(FunctionName="{names[0]}")')
    if aws_url is not None:
        yield _bare(f"AWS endpoint ({'in this process' if options.embedded else 'as given'}): {aws_url}")
        yield _bare(
            f"  export AWS_ENDPOINT_URL={aws_url} AWS_REGION={REGION} AWS_DEFAULT_REGION={REGION} "
            "AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local"
        )
    yield from places(serving)
    if options.speed != 1:
        yield _bare(f"time passes {options.speed:g} times as fast")
    yield _bare(f"ready{'' if options.reload else ', without reload'}: Ctrl-C stops")


def notes(project: Project, options: ServeOptions) -> Iterator[Line]:
    """What is left out, and which handlers are not there, one line each."""
    for note in project.notes:
        yield Line("note", "", note)
    for function in project.functions:
        yield from _missing(function)
    if options.aws:
        if not options.embedded and links_without_functions(project.links) != list(project.links):
            told = "topics, buckets, rules and schedules invoke functions only from the AWS of this process"
            yield Line("note", "", f"{told}: leave --endpoint-url out to have them")
        return
    counts = {
        "resources": len(project.resources),
        "polled sources": len(project.polled),
        "subscriptions, notifications, rules and schedules": len(project.links),
    }
    if left_out := [f"{count} {what}" for what, count in counts.items() if count]:
        yield Line("note", "", f"left out by --no-aws: {', '.join(left_out)}")


def _missing(function: ProjectFunction) -> Iterator[Line]:
    """Told, and no more: a build may be about to write it, and the other functions can be used."""
    if "command" in function.options:
        return  # what a handler's name means is that program's business
    search_path = function.environment.get("PYTHONPATH", "").split(":")
    if is_missing(function.handler, function.code, [each for each in search_path if each]):
        reason = hint(function.handler, function.code)
        meant = f": {reason}" if reason else ""
        yield Line("note", "", f"{function.where}: there is no handler {function.handler}{meant}")


def places(serving: Serving) -> Iterator[Line]:
    """Where sources and fronts are, and which functions are behind them."""
    for mapping in serving.mappings:
        at = serving.address_of(mapping.settings.source.text)
        yield _bare(f"  {at} → {mapping.settings.function_name.rpartition(':function:')[2]}")
    for line in serving.links:
        yield _bare(f"  {line}")
    for title, front in serving.urls.items():
        yield _bare(f"{title}: {front.url}")
        for route in front.routes:
            if route.path is not None:
                yield _bare(f"  {route.method} {route.path} → {route.function_name}")


def _bare(text: str) -> Line:
    return Line("bare", "", text)
