import type { Template } from 'aws-cdk-lib/assertions';

export interface AslState {
  readonly Type: string;
  readonly Next?: string;
  readonly Default?: string;
  readonly Choices?: readonly { readonly Next: string }[];
  readonly Catch?: readonly { readonly ErrorEquals: readonly string[]; readonly Next: string; readonly ResultPath?: string | null }[];
  readonly Retry?: readonly { readonly ErrorEquals: readonly string[]; readonly MaxAttempts?: number }[];
  readonly Resource?: string;
  readonly Parameters?: { readonly FunctionName: string; readonly Payload: Readonly<Record<string, unknown>> };
  readonly ResultSelector?: Readonly<Record<string, string>>;
  readonly ResultPath?: string | null;
  readonly OutputPath?: string;
  readonly Result?: any;
  readonly MaxConcurrency?: number;
  readonly ItemProcessor?: Asl;
  readonly TimeoutSecondsPath?: string;
}

export interface Asl {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, AslState>>;
  readonly TimeoutSeconds?: number;
}

/** The definition of a state machine as deployed, references in angle brackets. */
export function definition(template: Template, part: 'cycle' | 'return-cycle' | 'run'): Asl {
  const machines = template.findResources('AWS::StepFunctions::StateMachine');
  const machine = Object.values(machines).find(({ Properties }) => String(Properties.StateMachineName).endsWith(`-${part}`));
  return JSON.parse(flat(machine?.Properties.DefinitionString)) as Asl;
}

/** A property with its references in angle brackets. */
export function flat(value: any): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (value?.Ref) return `<${value.Ref}>`;
  if (value?.['Fn::GetAtt']) return `<${value['Fn::GetAtt'].join('.')}>`;
  if (value?.['Fn::Join']) return value['Fn::Join'][1].map(flat).join(value['Fn::Join'][0]);
  return `<${Object.keys(value)[0]}>`;
}
