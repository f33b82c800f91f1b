"""What this package is called in the process: `runtime`, unless the function has a `runtime` module of its own.

Then the name is the function's. The modules loaded so far move to another name, and since all imports inside the
package are relative, whatever is loaded later follows them. Loaded only where it happens.
"""

import sys

__all__ = ["step_aside"]

OTHER_NAME = "handlerkit_runtime"


def step_aside() -> None:
    """Free the package's name, so that `import` finds the function's module."""
    name = __name__.partition(".")[0]
    for full_name in [known for known in sys.modules if known == name or known.startswith(name + ".")]:
        module = sys.modules.pop(full_name)
        new_name = OTHER_NAME + full_name[len(name) :]
        sys.modules[new_name] = module
        module.__name__ = new_name
        if module.__spec__ is not None:
            module.__spec__.name = new_name
            module.__package__ = module.__spec__.parent
