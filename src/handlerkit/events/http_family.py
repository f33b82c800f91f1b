"""The HTTP fronts together: what they have in common, and one name for any of them.

All five have `method`, `path`, `headers`, `query`, `cookies`, `body`, `is_base64_encoded` and `source_ip`, of the same
types. Importing this imports all of them; a function behind one front names that front.
"""

from __future__ import annotations

from .alb import AlbEvent
from .api_gateway import ApiGatewayEvent
from .function_url import FunctionUrlEvent
from .http_api import HttpApiEvent
from .vpc_lattice import VpcLatticeEvent

__all__ = ["HttpEvent"]

# A request through any front, its body as it came. With a type for the body write the union of those you deploy to.
HttpEvent = HttpApiEvent | FunctionUrlEvent | ApiGatewayEvent | AlbEvent | VpcLatticeEvent
