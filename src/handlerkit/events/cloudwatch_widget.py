"""CloudWatch custom widgets: a dashboard asks what to show, or, `is_describe`, how the widget is used.

Wire names are those of the event. The widget's own parameters stand in the event itself and, as configured, in
`widget_context.params`. The answer is HTML, Markdown or JSON.
"""

from __future__ import annotations

from .fields import boolean, instant, mapping, maybe_integer, maybe_text, text
from .nested import maybe_view, view
from .view import View

__all__ = ["WidgetContext", "WidgetEvent", "WidgetTimeRange", "WidgetTimezone", "WidgetZoom"]


class WidgetTimezone(View):
    """The dashboard's time zone."""

    label = text("label")
    offset_iso = text("offsetISO")
    offset_in_minutes = maybe_integer("offsetInMinutes")


class WidgetZoom(View):
    """The part that somebody zoomed into."""

    start = instant("start")
    end = instant("end")


class WidgetTimeRange(View):
    """What the dashboard shows; `relative_start` is milliseconds before now."""

    mode = text("mode")
    start = instant("start")
    end = instant("end")
    relative_start = maybe_integer("relativeStart")
    zoom = maybe_view("zoom", WidgetZoom)


class WidgetContext(View):
    """The dashboard around the widget; sizes in pixels, the period in seconds."""

    dashboard_name = text("dashboardName")
    widget_id = text("widgetId")
    domain = text("domain")
    account_id = text("accountId")
    locale = text("locale")
    timezone = view("timezone", WidgetTimezone)
    period = maybe_integer("period")
    is_auto_period = boolean("isAutoPeriod")
    time_range = view("timeRange", WidgetTimeRange)
    theme = text("theme")
    link_charts = boolean("linkCharts")
    title = maybe_text("title")
    forms = mapping("forms")
    params = mapping("params")
    width = maybe_integer("width")
    height = maybe_integer("height")


class WidgetEvent(View, kinds=("cloudwatch_custom_widget",)):
    """What the function gets."""

    widget_context = view("widgetContext", WidgetContext)
    is_describe = boolean("describe")
