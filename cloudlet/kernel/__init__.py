"""The kernel: state, time, transactions and background work. It knows no AWS service and no HTTP.

keys          tuples <-> ordered bytes; a Space is a prefix
store         the ordered key-value engine (SQLite)
tx            one transaction's buffered writes over the store
tables        typed rows under keys, with secondary indexes
transactions  runs functions as transactions; group commit; waits
context       what an operation sees: tx, now, account, region, ...
clock         the one clock
jobs          background work as rows
deliveries    events from one service to another, as jobs with retries
blobs         large bodies as files
registry      services, operations, sinks
"""
