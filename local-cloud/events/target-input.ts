/** The parts of a rule's target that shape what it gets. */
export interface TargetInput {
  readonly Input?: string;
  readonly InputPath?: string;
  readonly InputTransformer?: { readonly InputPathsMap?: Readonly<Record<string, string>>; readonly InputTemplate: string };
}

/** The value at a path like `$.detail.items[0].name`. */
export function valueAt(document: unknown, path: string): unknown {
  const steps = path.replace(/^\$\.?/, '').split(/[.[\]]+/).filter((step) => step !== '');
  return steps.reduce<unknown>((value, step) => {
    if (typeof value !== 'object' || value === null) return undefined;
    return (value as Record<string, unknown>)[step];
  }, document);
}

/**
 * What a target gets of an event, as JSON
 * (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html).
 */
export function targetInput(target: TargetInput, event: Readonly<Record<string, unknown>>, ruleArn: string): string {
  if (target.Input !== undefined) return target.Input;
  if (target.InputPath !== undefined) return JSON.stringify(valueAt(event, target.InputPath) ?? {});
  if (!target.InputTransformer) return JSON.stringify(event);
  const { InputPathsMap = {}, InputTemplate } = target.InputTransformer;
  const values: Record<string, unknown> = {
    'aws.events.rule-arn': ruleArn,
    'aws.events.rule-name': ruleArn.split('/').at(-1),
    'aws.events.event.ingestion-time': event.time,
    'aws.events.event': event,
    'aws.events.event.json': event,
  };
  for (const [name, path] of Object.entries(InputPathsMap)) values[name] = valueAt(event, path);
  return fillTemplate(InputTemplate, values);
}

/** Inside a string a value is put in as text, elsewhere as JSON. */
function fillTemplate(template: string, values: Readonly<Record<string, unknown>>): string {
  let filled = '';
  let quoted = false;
  for (let at = 0; at < template.length; at += 1) {
    const character = template[at] ?? '';
    const name = character === '<' ? /^<([\w.-]+)>/.exec(template.slice(at))?.[1] : undefined;
    if (name !== undefined && name in values) {
      filled += inPlace(values[name], quoted);
      at += name.length + 1;
      continue;
    }
    if (character === '"' && template[at - 1] !== '\\') quoted = !quoted;
    filled += character;
  }
  return filled;
}

function inPlace(value: unknown, quoted: boolean): string {
  if (!quoted) return JSON.stringify(value ?? '');
  return JSON.stringify(typeof value === 'string' ? value : JSON.stringify(value ?? '')).slice(1, -1);
}
