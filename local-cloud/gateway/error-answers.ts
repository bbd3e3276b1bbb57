/** An answer that the gateway gives itself. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface ServiceError {
  readonly code: string;
  readonly message: string;
  readonly status: number;
}

type Protocol = 'ec2' | 'query' | 'json' | 'rest-json' | 's3';

const PROTOCOL: Readonly<Record<string, Protocol>> = {
  ec2: 'ec2', s3: 's3', iam: 'query', sts: 'query', cloudformation: 'query', sns: 'query', autoscaling: 'query', elasticloadbalancing: 'query',
  lambda: 'rest-json', scheduler: 'rest-json', ebs: 'rest-json', backup: 'rest-json',
};

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escapeXml = (text: string): string => text.replace(/[&<>"]/g, (character) => ESCAPES[character] ?? character);

/** Writes an error the way the service's own protocol carries it, so that an SDK gives it its name. */
export function errorAnswer(call: { readonly service: string; readonly form: URLSearchParams }, error: ServiceError, requestId: string): Answer {
  const message = escapeXml(error.message);
  const xml = (body: string): Answer => ({ status: error.status, headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId }, body });
  const json = (type: string, body: Record<string, unknown>): Answer => ({
    status: error.status,
    headers: { 'content-type': type, 'x-amzn-requestid': requestId, 'x-amzn-errortype': error.code },
    body: JSON.stringify(body),
  });
  // Some services take more than one protocol, by the age of the SDK.
  const protocol = PROTOCOL[call.service] ?? (call.form.has('Action') ? 'query' : 'json');
  switch (protocol) {
    case 'ec2':
      return xml(`<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error><Code>${error.code}</Code><Message>${message}</Message></Error></Errors><RequestID>${requestId}</RequestID></Response>`);
    case 'query':
      return xml(`<ErrorResponse><Error><Type>Sender</Type><Code>${error.code}</Code><Message>${message}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`);
    case 's3':
      return xml(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${error.code}</Code><Message>${message}</Message><RequestId>${requestId}</RequestId></Error>`);
    case 'rest-json':
      return json('application/json', { Type: 'User', Message: error.message, message: error.message });
    case 'json':
      return json('application/x-amz-json-1.0', { __type: error.code, message: error.message, Message: error.message });
  }
}

/** "You may not", as the service says it. */
export function accessDenied(service: string, message: string): ServiceError {
  if (service === 'ec2') return { code: 'UnauthorizedOperation', message: `You are not authorized to perform this operation. ${message}`, status: 403 };
  if (service === 's3' || service === 'iam' || service === 'sts' || service === 'cloudformation') return { code: 'AccessDenied', message, status: 403 };
  if (service === 'sns') return { code: 'AuthorizationError', message, status: 403 };
  return { code: 'AccessDeniedException', message, status: PROTOCOL[service] === 'rest-json' ? 403 : 400 };
}

/** "Too fast", as the service says it. */
export function throttled(service: string): ServiceError {
  switch (service) {
    case 'ec2': return { code: 'RequestLimitExceeded', message: 'Request limit exceeded.', status: 503 };
    case 's3': return { code: 'SlowDown', message: 'Please reduce your request rate.', status: 503 };
    case 'lambda': return { code: 'TooManyRequestsException', message: 'Rate Exceeded.', status: 429 };
    case 'ebs': return { code: 'RequestThrottledException', message: 'Rate exceeded.', status: 400 };
    case 'scheduler': return { code: 'ThrottlingException', message: 'Rate exceeded.', status: 429 };
    case 'sts': case 'iam': case 'cloudformation': case 'cloudwatch': return { code: 'Throttling', message: 'Rate exceeded', status: 400 };
    default: return { code: 'ThrottlingException', message: 'Rate exceeded', status: 400 };
  }
}

/** The service failed by itself. */
export function internalError(service: string): ServiceError {
  const message = 'An internal error has occurred.';
  switch (service) {
    case 'ec2': case 's3': return { code: 'InternalError', message, status: 500 };
    case 'dynamodb': case 'ssm': return { code: 'InternalServerError', message, status: 500 };
    case 'lambda': return { code: 'ServiceException', message, status: 500 };
    case 'kms': return { code: 'KMSInternalException', message, status: 500 };
    case 'ebs': case 'scheduler': return { code: 'InternalServerException', message, status: 500 };
    default: return { code: 'InternalFailure', message, status: 500 };
  }
}

/** A whole Region that does not answer: what its load balancers still say when asked politely. */
export const REGION_UNAVAILABLE: ServiceError = { code: 'ServiceUnavailable', message: 'Service is unable to handle request.', status: 503 };

/** The error code in an answer of the emulator, from the header or the body. */
export function errorCodeOf(type: string | undefined, body: string): string {
  const code = type ?? /<Code>([^<]+)<\/Code>/.exec(body)?.[1] ?? /"(?:__type|code)"\s*:\s*"([^"]+)"/.exec(body)?.[1] ?? 'Unknown';
  return code.split(':')[0]?.split('#').at(-1) ?? code;
}
