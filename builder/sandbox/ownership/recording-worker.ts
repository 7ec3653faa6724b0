import { recordingHere } from './probe.ts';

/** A program of its own, which `doctor` starts in the namespace: tells what can be recorded there, as JSON. */
recordingHere().then((found) => process.stdout.write(`${JSON.stringify(found)}\n`));
