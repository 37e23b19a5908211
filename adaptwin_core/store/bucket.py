"""Makes the bucket that the settings name, so that a new S3 store needs no hand work."""

import boto3
from botocore.exceptions import ClientError

_OURS_ALREADY = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})


def ensure_bucket(bucket: str, endpoint_url: str | None) -> None:
    """Create the bucket unless it is there.

    Raises:
        ClientError: the store refuses, for example because the credentials are wrong.
    """
    try:
        boto3.client("s3", endpoint_url=endpoint_url).create_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _OURS_ALREADY:
            raise
