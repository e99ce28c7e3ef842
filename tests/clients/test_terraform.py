"""Terraform with the AWS provider: apply, an empty second plan, a change, destroy."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.clients.conftest import Program, find
from tests.conftest import connect

pytestmark = pytest.mark.client
_MIRRORS = ("~/.terraform.d/plugins", "/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins", "/opt/*")
_PROVIDER = "registry.terraform.io/hashicorp/aws"

_MAIN = """
terraform {
  required_providers { aws = { source = "hashicorp/aws" } }
}
provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  endpoints {
    s3  = "%(endpoint)s"
    sqs = "%(endpoint)s"
  }
}
variable "delay" { default = 5 }

resource "aws_s3_bucket" "data" {
  bucket        = "terraform-data"
  force_destroy = true
  tags          = { team = "a" }
}
resource "aws_s3_bucket_versioning" "data" {
  bucket = aws_s3_bucket.data.id
  versioning_configuration { status = "Enabled" }
}
resource "aws_s3_object" "hello" {
  bucket       = aws_s3_bucket.data.id
  key          = "folder/hello.txt"
  content      = "hello"
  content_type = "text/plain"
  metadata     = { kind = "greeting" }
  tags         = { team = "a" }
  depends_on   = [aws_s3_bucket_versioning.data]
}
resource "aws_s3_object_copy" "copy" {
  bucket            = aws_s3_bucket.data.id
  key               = "copy.txt"
  source            = "${aws_s3_bucket.data.id}/${aws_s3_object.hello.key}"
  tagging_directive = "REPLACE" # S3 copies the source's tags otherwise, and the provider would plan to take them away
  tags              = { team = "b" }
}
resource "aws_sqs_queue" "dead" {
  name = "terraform-dead"
}
resource "aws_sqs_queue" "orders" {
  name                       = "terraform-orders"
  delay_seconds              = var.delay
  visibility_timeout_seconds = 60
  redrive_policy             = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead.arn, maxReceiveCount = 3 })
  tags                       = { team = "a" }
}
resource "aws_sqs_queue" "fifo" {
  name                        = "terraform.fifo"
  fifo_queue                  = true
  content_based_deduplication = true
  deduplication_scope         = "messageGroup"
  fifo_throughput_limit       = "perMessageGroupId"
}
resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  queue_url            = aws_sqs_queue.dead.id
  redrive_allow_policy = jsonencode({ redrivePermission = "byQueue", sourceQueueArns = [aws_sqs_queue.orders.arn] })
}
resource "aws_sqs_queue_policy" "orders" {
  queue_url = aws_sqs_queue.orders.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = "*", Action = "sqs:SendMessage", Resource = aws_sqs_queue.orders.arn }]
  })
}
data "aws_s3_object" "hello" {
  bucket     = aws_s3_bucket.data.id
  key        = aws_s3_object.hello.key
}
output "body" { value = data.aws_s3_object.hello.body }
output "queue" { value = aws_sqs_queue.orders.url }
"""


def _mirror() -> Path | None:
    for pattern in _MIRRORS:
        expanded = Path(os.path.expanduser(pattern))
        for folder in sorted(expanded.parent.glob(expanded.name)):
            if (folder / _PROVIDER).is_dir():
                return folder
    return None


def test_terraform(endpoint: str, tmp_path: Path) -> None:
    path = find("terraform") or pytest.skip("terraform is not installed")
    mirror = _mirror() or pytest.skip("terraform's AWS provider is in none of the usual plugin folders")
    (tmp_path / "main.tf").write_text(_MAIN.replace("%(endpoint)s", endpoint))
    (tmp_path / "rc").write_text(f'provider_installation {{ filesystem_mirror {{ path = "{mirror}" }} }}\n')
    terraform = Program(path, endpoint, tmp_path)
    settings = {"TF_CLI_CONFIG_FILE": str(tmp_path / "rc"), "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}

    def run(*arguments: str, expect: int = 0) -> str:
        return terraform.run(*arguments, expect=expect, **settings)

    run("init", "-no-color", "-input=false")
    run("apply", "-auto-approve", "-no-color", "-input=false")
    run("plan", "-detailed-exitcode", "-no-color", "-input=false")  # 0: nothing to change
    outputs = json.loads(run("output", "-json"))
    assert outputs["body"]["value"] == "hello"
    sqs, s3 = connect(endpoint, "sqs"), connect(endpoint, "s3")
    assert sqs.get_queue_attributes(QueueUrl=outputs["queue"]["value"], AttributeNames=["DelaySeconds"])["Attributes"] == {
        "DelaySeconds": "5"
    }
    assert s3.get_object(Bucket="terraform-data", Key="copy.txt")["Body"].read() == b"hello"
    run("apply", "-auto-approve", "-no-color", "-input=false", "-var", "delay=7")
    assert sqs.get_queue_attributes(QueueUrl=outputs["queue"]["value"], AttributeNames=["DelaySeconds"])["Attributes"] == {
        "DelaySeconds": "7"
    }
    run("plan", "-detailed-exitcode", "-no-color", "-input=false", "-var", "delay=7")
    run("destroy", "-auto-approve", "-no-color", "-input=false", "-var", "delay=7")
    assert (sqs.list_queues().get("QueueUrls", []), s3.list_buckets()["Buckets"]) == ([], [])
