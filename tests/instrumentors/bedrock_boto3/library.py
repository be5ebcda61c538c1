"""Bedrock's scenarios with the newest boto3, which aiobotocore does not follow at once."""

from __future__ import annotations

import dataclasses

from tests.instrumentors.bedrock import library

LIBRARY = dataclasses.replace(
    library.LIBRARY, environments={"boto3 1.44, newest": ("boto3>=1.44,<2",)}, kinds=("sync",), more=()
)
