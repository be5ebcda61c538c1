"""Map."""


def mapped(source, request):
    return {}
