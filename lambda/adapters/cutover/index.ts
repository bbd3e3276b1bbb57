import { LambdaFunctions } from '../invoke';
import type { CutoverKinds } from '../ports/cutover';
import { AcceleratorCutover } from './accelerator';
import { ArcCutover } from './arc';
import { FunctionCutover } from './function';
import { MetricCutover } from './metric';
import { RecordCutover } from './record';

export function cutoverKinds(recoveryRegion: string): CutoverKinds {
  return {
    arc: new ArcCutover(),
    metric: new MetricCutover(recoveryRegion),
    record: new RecordCutover(recoveryRegion),
    accelerator: new AcceleratorCutover(),
    lambda: new FunctionCutover(new LambdaFunctions(recoveryRegion)),
  };
}
