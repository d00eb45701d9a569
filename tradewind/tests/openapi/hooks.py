"""What schemathesis cannot know of requests to this server."""

import itertools
import os

import schemathesis

OUR_KEY = os.environ["FUZZ_KEY_ID"]
addresses = itertools.count(1)


@schemathesis.hook
def before_call(context, case, kwargs):
    # Keys that are not good count against the address that they come from, and there are many here.
    number = next(addresses)
    case.headers["X-Forwarded-For"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    # Whoever revokes the key that it asks with hears 401 from then on.
    if case.path_parameters.get("id") == OUR_KEY:
        case.path_parameters["id"] = "unknown"
    if case.meta and case.meta.generation.mode.is_positive:
        # Cursors and tickets are signed: one that is made up, even in the right form, is refused.
        for name in ("cursor", "ticket"):
            case.query.pop(name, None)
        if isinstance(case.body, dict) and "cursor" in case.body:
            case.body = {name: value for name, value in case.body.items() if name != "cursor"}
        # To JSON Schema 5.0 is an integer. Here it is none, because readers make floats of it, and no schema can say so.
        for part in ("body", "query"):
            said = getattr(case, part)
            # Whatever is set is judged anew: what is right stays untouched.
            if isinstance(said, (dict, list)) and repr(whole(said)) != repr(said):
                setattr(case, part, whole(said))


def whole(value):
    """The same with integers written as such."""
    if isinstance(value, dict):
        return {name: whole(one) for name, one in value.items()}
    if isinstance(value, list):
        return [whole(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
