from cloudlet.kernel.registry import Service
from cloudlet.services.sqs import queues

SERVICE = Service("sqs", modules=(queues,), wire={"protocols": ("query",), "error_prefix": "com.amazonaws.sqs#"})
