import { credentialScope, parseForm, parseJson } from '../../local-cloud/gateway/call';
import { operationOf } from '../../local-cloud/gateway/operations';

const url = (path: string): URL => new URL(path, 'http://localhost:5000');
const none = new URLSearchParams();

describe('who signed', () => {
  test('reads the access key, Region and service from the header', () => {
    const authorization = 'AWS4-HMAC-SHA256 Credential=ASIA1/20260101/eu-west-1/ec2/aws4_request, SignedHeaders=host, Signature=0';
    expect(credentialScope({ authorization }, url('/'))).toEqual({ accessKeyId: 'ASIA1', region: 'eu-west-1', service: 'ec2' });
  });

  test('reads them from a presigned query', () => {
    const presigned = url('/bucket/key?X-Amz-Credential=AKIA1%2F20260101%2Fus-east-1%2Fs3%2Faws4_request');
    expect(credentialScope({}, presigned)).toEqual({ accessKeyId: 'AKIA1', region: 'us-east-1', service: 's3' });
  });

  test('calls a service by its IAM prefix', () => {
    const authorization = 'AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/monitoring/aws4_request';
    expect(credentialScope({ authorization }, url('/'))?.service).toBe('cloudwatch');
  });

  test('an unsigned request has no scope', () => {
    expect(credentialScope({}, url('/'))).toBeUndefined();
  });
});

describe('which operation', () => {
  test.each([
    ['dynamodb', 'DynamoDB_20120810.TransactWriteItems', 'TransactWriteItems'],
    ['ssm', 'AmazonSSM.SendCommand', 'SendCommand'],
    ['states', 'AWSStepFunctions.SendTaskSuccess', 'SendTaskSuccess'],
    ['events', 'AWSEvents.PutEvents', 'PutEvents'],
    ['kms', 'TrentService.DescribeKey', 'DescribeKey'],
    ['logs', 'Logs_20140328.PutLogEvents', 'PutLogEvents'],
  ])('%s by its target header', (service, target, operation) => {
    expect(operationOf(service, 'POST', url('/'), { 'x-amz-target': target }, none)).toBe(operation);
  });

  test.each(['ec2', 'sts', 'iam', 'cloudformation', 'sns'])('%s by the Action of its form', (service) => {
    const form = parseForm({ 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }, url('/'), Buffer.from('Action=DoThis&Version=1'));
    expect(operationOf(service, 'POST', url('/'), {}, form)).toBe('DoThis');
  });

  test.each([
    ['lambda', 'POST', '/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af/invocations', 'Invoke'],
    ['lambda', 'GET', '/2015-03-31/functions/f', 'GetFunction'],
    ['route53', 'POST', '/2013-04-01/hostedzone/Z1/rrset/', 'ChangeResourceRecordSets'],
    ['route53', 'GET', '/2013-04-01/hostedzone/Z1/rrset', 'ListResourceRecordSets'],
    ['route53', 'GET', '/2013-04-01/change/C1', 'GetChange'],
    ['scheduler', 'GET', '/schedules', 'ListSchedules'],
    ['scheduler', 'PUT', '/schedules/s', 'UpdateSchedule'],
    ['ebs', 'POST', '/snapshots', 'StartSnapshot'],
    ['ebs', 'PUT', '/snapshots/snap-1/blocks/7', 'PutSnapshotBlock'],
    ['ebs', 'GET', '/snapshots/snap-1/blocks/7?blockToken=t', 'GetSnapshotBlock'],
    ['ebs', 'GET', '/snapshots/snap-1/blocks', 'ListSnapshotBlocks'],
    ['ebs', 'GET', '/snapshots/snap-2/changedblocks?firstSnapshotId=snap-1', 'ListChangedBlocks'],
    ['ebs', 'POST', '/snapshots/completion/snap-1', 'CompleteSnapshot'],
    ['backup', 'PUT', '/copy-jobs', 'StartCopyJob'],
    ['s3', 'PUT', '/bucket/a/b/c', 'PutObject'],
    ['s3', 'GET', '/bucket', 'ListObjects'],
  ])('%s %s %s', (service, method, path, operation) => {
    expect(operationOf(service, method, url(path), {}, none)).toBe(operation);
  });

  test('a bucket in the host name makes the path the key', () => {
    expect(operationOf('s3', 'PUT', url('/key'), { host: 'bucket.localhost:5000' }, none)).toBe('PutObject');
  });

  test('the newer RPC protocol names it in the path', () => {
    expect(operationOf('cloudwatch', 'POST', url('/service/GraniteServiceVersion20100801/operation/PutMetricData'), {}, none)).toBe('PutMetricData');
  });

  test('an unknown REST path is named by itself', () => {
    expect(operationOf('lambda', 'PATCH', url('/2030-01-01/what'), {}, none)).toBe('PATCH /2030-01-01/what');
  });
});

test('a body that is no JSON object is taken as empty', () => {
  expect(parseJson({}, Buffer.from('[1]'))).toEqual({});
  expect(parseJson({}, Buffer.from('{'))).toEqual({});
  expect(parseJson({}, Buffer.from('{"a":1}'))).toEqual({ a: 1 });
});
