// The JavaScript SDK v3 against Cloudlet: every step asserts, the last line says so.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import * as s3 from "@aws-sdk/client-s3";
import * as sqs from "@aws-sdk/client-sqs";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

const Bucket = "js-bucket";
const store = new s3.S3Client({ forcePathStyle: true });
const send = (command) => store.send(command);

await send(new s3.CreateBucketCommand({ Bucket }));
await send(new s3.PutObjectCommand({ Bucket, Key: "a/ü.txt", Body: "hello", Metadata: { kind: "test" }, ContentType: "text/plain" }));
const got = await send(new s3.GetObjectCommand({ Bucket, Key: "a/ü.txt" }));
assert.equal(await got.Body.transformToString(), "hello");
assert.deepEqual([got.ContentType, got.Metadata], ["text/plain", { kind: "test" }]);
const big = randomBytes(12 << 20);
await new Upload({ client: store, params: { Bucket, Key: "big", Body: big } }).done();
const back = await send(new s3.GetObjectCommand({ Bucket, Key: "big", Range: "bytes=7000000-7000099" }));
assert.deepEqual(Buffer.from(await back.Body.transformToByteArray()), big.subarray(7000000, 7000100));
const listed = await send(new s3.ListObjectsV2Command({ Bucket, Delimiter: "/" }));
assert.deepEqual([listed.Contents.map((o) => o.Key), listed.CommonPrefixes], [["big"], [{ Prefix: "a/" }]]);
await assert.rejects(send(new s3.GetObjectCommand({ Bucket, Key: "missing" })), s3.NoSuchKey);
await assert.rejects(send(new s3.HeadObjectCommand({ Bucket, Key: "missing" })), s3.NotFound);
const url = await getSignedUrl(store, new s3.GetObjectCommand({ Bucket, Key: "a/ü.txt" }), { expiresIn: 60 });
assert.equal(await (await fetch(url)).text(), "hello");
await send(new s3.DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "a/ü.txt" }, { Key: "big" }] } }));
await send(new s3.DeleteBucketCommand({ Bucket }));

const queues = new sqs.SQSClient({});
const { QueueUrl } = await queues.send(new sqs.CreateQueueCommand({ QueueName: "js-queue" }));
const sent = await queues.send(
  new sqs.SendMessageCommand({ QueueUrl, MessageBody: "hello", MessageAttributes: { n: { DataType: "Number", StringValue: "7" } } }),
);
const received = await queues.send(new sqs.ReceiveMessageCommand({ QueueUrl, MessageAttributeNames: ["All"], WaitTimeSeconds: 2 }));
assert.equal(received.Messages[0].MessageId, sent.MessageId);
assert.equal(received.Messages[0].MessageAttributes.n.StringValue, "7");
await queues.send(new sqs.DeleteMessageCommand({ QueueUrl, ReceiptHandle: received.Messages[0].ReceiptHandle }));
await assert.rejects(queues.send(new sqs.GetQueueUrlCommand({ QueueName: "missing" })), sqs.QueueDoesNotExist);
console.log("all good");
