import './quiet';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Progress } from './progress';
import { report } from './report';
import { SOURCE_REGION, ShopScenario } from './scenario';

/** Steps below; the bar needs the number beforehand. */
const STEPS = 15;

async function main(): Promise<void> {
  const logs = mkdtempSync(join(tmpdir(), 'disaster-recovery-demo-'));
  const progress = new Progress(STEPS);
  const problems: string[] = [];
  let scenario: ShopScenario | undefined;
  try {
    const shop = scenario = await progress.step('Start the local cloud: two Regions on this machine', () => ShopScenario.start({ runSchedules: false, snapshotSeconds: 1, copySeconds: 3, onLog: (line, source) => { if (source !== 'function') problems.push(`${source}: ${line}`); } }));
    await progress.step('Prepare both Regions for the CDK (cdk bootstrap)', () => shop.cloud.bootstrap());
    await progress.step('Deploy the shop and its disaster recovery (cdk deploy --all)', () => shop.deployApp());
    const workload = await progress.step('Put ext4 file systems with files on the disks of 4 machines', () => shop.installWorkload());

    await progress.step('Protection cycle 1: first copies to the recovery Region', (detail) => shop.protect({ onState: detail }));
    workload.start();
    const cycle = await progress.step('Protection cycle 2, while files change', (detail) => shop.protect({ onState: detail }));
    await progress.step('The shop goes on writing after the last cycle', () => new Promise((resolve) => setTimeout(resolve, 3000)));
    await workload.stop();

    shop.cloud.faults.refuseRegion(SOURCE_REGION);
    const lostAt = new Date();
    const callsBefore = shop.cloud.calls.all().length;
    const run = await progress.step(`${SOURCE_REGION} refuses every call: fail over`, (detail) =>
      shop.recover({ mode: 'failover', requestedBy: 'demo' }, { onState: detail }));
    const refused = shop.cloud.calls.all().slice(callsBefore).filter((call) => call.region === SOURCE_REGION).length;

    const proofs = await progress.step('Read the recovered disks back and compare blocks and files', (detail) =>
      shop.prove(run.output, (proof) => detail(proof.name)));

    shop.cloud.faults.restoreRegion(SOURCE_REGION);
    await progress.step(`${SOURCE_REGION} answers again, its old machines still run: the guard fences them`, () => shop.fenceOldSide());
    const recovered = await progress.step('The recovered shop goes on writing', async () => {
      const taken = await shop.takeOver(run.output);
      await taken.tick();
      return taken;
    });
    const failback = await progress.step('Fail back: copy, drain, copy the rest, verify, put the disks in, move traffic back', (detail) =>
      shop.recover({ mode: 'failback', requestedBy: 'demo' }, { onState: detail }));
    const returned = await progress.step('Compare the source machines with what the recovered ones wrote', (detail) =>
      shop.proveReturn(recovered, (proof) => detail(proof.name)));
    await progress.step('Protection cycle in the first direction again', (detail) => shop.protect({ onState: detail }));
    const recoverySeconds = progress.seconds;
    await progress.step('Stop the local cloud', () => shop.stop());
    progress.end();
    process.stdout.write(report({ evidence: run.output, proofs, failback: failback.output, returned, lostAt, cycleSeconds: cycle.seconds, refusedCalls: refused, totalSeconds: recoverySeconds }));
  } catch (error) {
    progress.end();
    const file = join(logs, 'local-cloud.log');
    writeFileSync(file, [...problems, ...(scenario?.cloud.logs() ?? [])].join('\n'));
    process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\nLogs of the emulator and of every function: ${file}\n`);
    process.exitCode = 1;
  } finally {
    await scenario?.stop();
  }
}

void main();
