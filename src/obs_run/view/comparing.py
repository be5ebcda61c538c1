"""Comparison."""


def compared(source, request):
    return {}
