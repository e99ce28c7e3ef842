def get_queue_url(ctx, req):
    return {"QueueUrl": f"{ctx.endpoint}/{ctx.account}/{req['QueueName']}"}
