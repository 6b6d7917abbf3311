"""Tables of the page as HTML. Every string of the fleet goes through `elements`, which escapes it. Pure."""
