// `npm test`: installs what the tests need, builds, runs all that this machine can run, and says what it could not run and why.
//   npm test                 everything
//   npm test -- --unit       without the lab of real hosts
//   npm test -- --lab        only the lab
//   npm test -- --unit pki   further words go to vitest: only files whose path contains them
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { has, labObstacle, missingPackages } from './prerequisites.mjs';

const root = new URL('..', import.meta.url).pathname;
const reports = join(root, '.cache/test');
const words = process.argv.slice(2);
const only = words.find((word) => word === '--unit' || word === '--lab');
const filters = words.filter((word) => word !== only);

/** What was not run, and why. @type {string[]} */
const notRun = [];
/** @type {{name: string, passed: number, failed: number, skipped: number, seconds: number}[]} */
const suites = [];
const failures = [];

const say = (text) => console.log(`\n── ${text}`);
const run = (command, args, env = {}) =>
  spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env } })
    .status ?? 1;

function checkNode() {
  const needed = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node.replace(/^>=/, '');
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [needMajor, needMinor] = needed.split('.').map(Number);
  if (major > needMajor || (major === needMajor && minor >= needMinor)) return;
  console.error(
    `etcd-wizard needs Node ${needed} or newer, this is ${process.versions.node}. Install a newer one and try again.`,
  );
  process.exit(1);
}

function installModules() {
  const age = (path) => (existsSync(join(root, path)) ? statSync(join(root, path)).mtimeMs : 0);
  if (
    age('node_modules/.package-lock.json') >= age('package-lock.json') &&
    existsSync(join(root, 'node_modules/.bin/vitest'))
  )
    return;
  say('installing the project’s packages');
  if (run('npm', ['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']) !== 0)
    process.exit(1);
}

/** Debian packages with the tools that tests drive (a real sshd, openssl, tmux, containers); only as root and where apt is. */
function installTools() {
  const missing = missingPackages();
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !has('apt-get')) return;
  say(`installing ${missing.join(', ')}`);
  // Nothing that a package brings along may start here: not an sshd that was not there before.
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const quiet = { DEBIAN_FRONTEND: 'noninteractive' };
    run('apt-get', ['-qq', 'update'], quiet);
    run('apt-get', ['-qq', 'install', '-y', '--no-install-recommends', ...missing], quiet);
    if (missing.includes('openssh-server') && existsSync('/run/systemd/system'))
      run('systemctl', ['-q', 'disable', 'ssh.service']);
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}

/** Runs one vitest configuration and reads its report. */
function suite(name, config) {
  say(`${name} tests`);
  const file = join(reports, `${name}.json`);
  rmSync(file, { force: true });
  const begun = Date.now();
  const status = run(join(root, 'node_modules/.bin/vitest'), [
    'run',
    '--config',
    config,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
    ...filters,
  ]);
  const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { testResults: [] };
  const tests = report.testResults.flatMap((each) =>
    each.assertionResults.map((test) => ({ ...test, file: each.name.replace(root, '') })),
  );
  const count = (...states) => tests.filter((test) => states.includes(test.status)).length;
  for (const test of tests) if (test.status === 'failed') failures.push(`${test.file}: ${test.fullName}`);
  for (const each of report.testResults) {
    if (each.status === 'failed' && each.assertionResults.every((test) => test.status !== 'failed'))
      failures.push(`${each.name.replace(root, '')}: ${each.message.split('\n')[0]}`);
  }
  const failed = failures.length - suites.reduce((sum, each) => sum + each.failed, 0);
  if (status !== 0 && failed === 0) failures.push(`${name}: vitest ended with ${status}`);
  const skipped = tests.filter((test) => ['skipped', 'pending', 'todo', 'disabled'].includes(test.status));
  for (const path of new Set(skipped.map((test) => test.file))) {
    const here = skipped.filter((test) => test.file === path);
    const example = here.length === 1 ? here[0].fullName : `${here[0].fullName}, …`;
    notRun.push(
      `${here.length} of ${path} (${example})${missingTools.length > 0 ? `: perhaps for want of ${missingTools.join(', ')}` : ''}`,
    );
  }
  suites.push({
    name,
    passed: count('passed'),
    failed: status !== 0 ? Math.max(failed, 1) : failed,
    skipped: skipped.length,
    seconds: (Date.now() - begun) / 1000,
  });
}

checkNode();
mkdirSync(reports, { recursive: true });
rmSync(join(reports, 'summary.json'), { force: true });
installModules();
installTools();
const missingTools = missingPackages();
if (missingTools.length > 0) {
  const how = has('apt-get')
    ? `«apt-get install ${missingTools.join(' ')}», or run npm test as root`
    : 'Debian’s packages of these names, or their like';
  notRun.push(`whatever needs ${missingTools.join(', ')}; to have it: ${how}`);
}

say('building the command');
if (run(process.execPath, ['scripts/build.mjs']) !== 0) {
  failures.push('the command cannot be built');
  suites.push({ name: 'build', passed: 0, failed: 1, skipped: 0, seconds: 0 });
}
if (only !== '--lab') suite('unit', 'vitest.config.ts');
else notRun.push('the unit tests, because of --lab');
const obstacle = only === '--unit' ? 'because of --unit' : labObstacle();
if (obstacle === undefined) suite('lab', 'vitest.lab.config.ts');
else notRun.push(`the end-to-end tests on real hosts (test/lab): ${obstacle}`);

say('what ran');
for (const { name, passed, failed, skipped, seconds } of suites) {
  console.log(
    `${name.padEnd(6)} ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''} (${seconds.toFixed(0)} s)`,
  );
}
if (failures.length > 0) {
  say('FAILED');
  for (const failure of failures) console.log(`✗ ${failure}`);
}
if (notRun.length > 0) {
  say('NOT RUN on this machine');
  for (const line of notRun) console.log(`! ${line}`);
}
const total = (key) => suites.reduce((sum, each) => sum + each[key], 0);
writeFileSync(
  join(reports, 'summary.json'),
  JSON.stringify(
    { passed: total('passed'), failed: total('failed'), skipped: total('skipped'), suites, failures, notRun },
    null,
    2,
  ),
);
console.log(`\ntests: ${total('passed')} passed, ${total('failed')} failed, ${total('skipped')} skipped`);
process.exit(total('failed') > 0 ? 1 : 0);
