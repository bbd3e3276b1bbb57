import type { Evidence } from '../lambda/core/evidence';
import type { MachineProof } from './verify';

export interface Outcome {
  readonly evidence: Evidence;
  readonly proofs: readonly MachineProof[];
  readonly failback: Evidence;
  readonly returned: readonly MachineProof[];
  /** When the source Region began to refuse every call. */
  readonly lostAt: Date;
  readonly cycleSeconds: number;
  /** Calls of the app to the source Region from then on. */
  readonly refusedCalls: number;
  readonly totalSeconds: number;
}

/** What the demo achieved, in words. All figures are measured in this run, on the local cloud. */
export function report({ evidence, proofs, failback, returned, lostAt, cycleSeconds, refusedCalls, totalSeconds }: Outcome): string {
  const sum = (of: (proof: MachineProof) => number) => proofs.reduce((total, proof) => total + of(proof), 0);
  const lines = [
    '',
    `Recovery run ${evidence.runId}: ${evidence.status}, ${evidence.members.length} machines in ${new Set(evidence.members.map((member) => member.wave)).size} waves`,
    `  RPO achieved   ${seconds(evidence.achieved.rpoSeconds)} (objective ${seconds(evidence.objectives?.rpoSeconds)})`,
    `  RTO achieved   ${seconds(evidence.achieved.rtoSeconds)} (objective ${seconds(evidence.objectives?.rtoSeconds)})`,
    `  last cycle     ${seconds(cycleSeconds)}`,
    `  calls to the lost Region during the run: ${refusedCalls}`,
    '',
    'Steps',
    ...evidence.steps.map((step) => `  ${step.name.padEnd(24)} ${seconds(step.seconds).padStart(8)}  ${step.outcome ?? ''}`),
    '',
    'Machines, compared with every write that the source made',
    ...proofs.map((proof) => `  ${proof.name.padEnd(10)} ${proof.disks} disks  ${proof.blocksCompared} blocks and ${proof.filesCompared} files equal  ${lossOf(proof, lostAt)}`),
    '',
    `${sum((proof) => proof.disks)} disks of ${proofs.length} machines: ${sum((proof) => proof.blocksCompared)} blocks of 512 KiB and ${sum((proof) => proof.filesCompared)} files are equal to the source at one instant of each machine.`,
    '',
    `Failback ${failback.runId}: ${failback.status}, ${failback.members.length} machines`,
    ...failback.steps.map((step) => `  ${step.name.padEnd(24)} ${seconds(step.seconds).padStart(8)}  ${step.outcome ?? ''}`),
    ...returned.map((proof) => `  ${proof.name.padEnd(10)} ${proof.disks} disks  ${proof.blocksCompared} blocks and ${proof.filesCompared} files equal to the recovered machine's  ${lossOf(proof, lostAt)}`),
    '',
    `Everything took ${totalSeconds.toFixed(0)} s. Times are the local cloud's, not those of AWS.`,
    '',
  ];
  return lines.join('\n');
}

function lossOf(proof: MachineProof, lostAt: Date): string {
  if (proof.writesLost === 0) return 'nothing lost';
  const window = proof.lastWriteKept ? (lostAt.getTime() - proof.lastWriteKept.getTime()) / 1000 : undefined;
  return `lost: the last ${proof.writesLost} of ${proof.upToWrite + proof.writesLost} writes, a window of ${seconds(window)}`;
}

function seconds(value: number | undefined): string {
  return value === undefined ? 'not reached' : `${value.toFixed(1)} s`;
}
