"""Conversations."""


def of_trace(source, request):
    return {}


def listed(source, request):
    return {}


def one(source, request):
    return {}
