import type { Template } from 'aws-cdk-lib/assertions';
import { flat } from './asl';

/** Statements of a function's role, one line each: `actions -> resources [conditions]`. Logical ids and the partition are made readable. */
export function statementsOf(template: Template, handler: string): string[] {
  const functions = Object.values(template.findResources('AWS::Lambda::Function'));
  const [found] = functions.filter(({ Properties }) => String(Properties.FunctionName).endsWith(`-${handler}`));
  if (!found) throw new Error(`There is no function ${handler}.`);
  return statementsOfRole(template, found.Properties.Role['Fn::GetAtt'][0]);
}

export function statementsOfRole(template: Template, roleId: string): string[] {
  const role = template.findResources('AWS::IAM::Role')[roleId];
  if (role?.Properties.ManagedPolicyArns ?? role?.Properties.Policies) throw new Error(`${roleId} has managed or inline policies.`);
  const policies = Object.values(template.findResources('AWS::IAM::Policy')).filter(({ Properties }) => Properties.Roles.some((one: any) => one.Ref === roleId));
  return policies.flatMap(({ Properties }) => Properties.PolicyDocument.Statement.map(line));
}

function line(statement: any): string {
  const { Effect, Action, Resource, Condition } = statement;
  if (Effect !== 'Allow') return JSON.stringify(statement);
  const conditions = Object.entries(Condition ?? {}).flatMap(([operator, keys]) =>
    Object.entries(keys as object).map(([key, value]) => `${operator === 'StringEquals' ? '' : `${operator} `}${short(key)}=${list(value).map(flat).join('|')}`));
  return `${list(Action).join(' ')} -> ${list(Resource).map((one) => short(flat(one))).join(' ')}${conditions.length > 0 ? ` [${conditions.join(', ')}]` : ''}`;
}

function list(value: any): any[] {
  return Array.isArray(value) ? value : [value];
}

function short(text: string): string {
  return text
    .replace(/^arn:<AWS::Partition>:/, '')
    .replaceAll('<AWS::AccountId>', 'ACCOUNT')
    .replace(/<ShopCatalogueTable\w+\.Arn>/, 'TABLE')
    .replace(/<ShopKey\w+\.Arn>/, 'KEY')
    .replace(/<Shop\w*Logs\w+\.Arn>/, 'LOGS')
    .replace(/<(Shop\w+?)[0-9A-F]{8}\.(\w+)>/g, '<$1.$2>')
    .replace('disaster-recovery:', 'dr:');
}
