// A process that holds a lock for this one. It reads the name of a lock file, takes its lock, says so, and gives it back after
// the next line, or when this process ends, whichever way. A lock on a file that was replaced meanwhile excludes nobody.
//
// It is Perl where there is one, as on Debian and what is made of it: there it has the system's call at hand. A shell has to
// start the command `flock` (util-linux, busybox) for each lock, which takes 30 times as long.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

const PERL = `
$| = 1;
while (defined(my $file = <STDIN>)) {
	chomp $file;
	my $lock;
	do {
		open($lock, '>>', $file) && flock($lock, 2) or die "$file: $!\\n";
	} until "@{[(stat $lock)[0, 1]]}" eq "@{[(stat $file)[0, 1]]}";
	print "locked\\n";
	defined(<STDIN>) or exit;
	close $lock;
}
`;

// A signal for all of a service, or Ctrl-C, is the server's to heed: it may still write. These programs end when it has.
// The lock files that they make are for their owner alone.
const SHELL = `
umask 077
trap '' INT TERM HUP
perl -e 1 2>/dev/null && exec perl -e "$1"
while IFS= read -r file; do
	while :; do
		exec 9>>"$file" || exit 1
		flock 9 || exit 1
		[ "$file" -ef /proc/self/fd/9 ] && break
	done
	echo locked
	IFS= read -r go || exit 0
	exec 9>&-
done
`;

/** It keeps this process from ending only while a lock is held. */
export class Holder {
	#process = spawn('sh', ['-c', SHELL, 'sh', PERL], { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
	#output = '';
	#errors = '';
	isAlive = true;
	/** @type {((error?: Error) => void) | undefined} */
	#answer;

	constructor() {
		const { stdin, stdout, stderr } = this.#process;
		const end = (/** @type {string} */ why) => {
			this.isAlive = false;
			this.#answer?.(new Error(`a lock could not be taken: ${why}. On Linux it needs Perl, or the command \`flock\` (util-linux).`));
		};
		this.#process.on('error', (error) => end(error.message));
		this.#process.on('exit', () => (this.isAlive = false));
		// Only then all is read that it has said.
		this.#process.on('close', () => end(this.#errors.trim() || 'its process has ended'));
		// A process that can open no more files has nothing to speak to it through, and is told of an error.
		if (!stdin) return;
		stdin.on('error', () => {});
		stderr.setEncoding('utf8').on('data', (text) => (this.#errors = (this.#errors + text).slice(-500)));
		stdout.setEncoding('utf8').on('data', (text) => {
			this.#output += text;
			if (!this.#output.includes('\n')) return;
			const isLocked = this.#output.startsWith('locked');
			this.#output = '';
			if (isLocked) this.#answer?.();
		});
		this.#count('unref');
	}

	/** Whether this process waits for it. @param {'ref' | 'unref'} how */
	#count(how) {
		const { stdin, stdout, stderr } = this.#process;
		for (const part of [this.#process, stdin, stdout, stderr]) /** @type {any} */ (part)?.[how]?.();
	}

	/** @param {string} file @returns {Promise<void>} */
	lock(file) {
		if (!this.isAlive) return Promise.reject(new Error('a lock could not be taken: its process has ended'));
		this.#count('ref');
		return new Promise((resolve, reject) => {
			this.#answer = (error) => {
				this.#answer = undefined;
				if (error) reject(error);
				else resolve();
			};
			this.#process.stdin?.write(`${file}\n`);
		});
	}

	/** Fails where the lock is held no longer, and somebody else may write. */
	check() {
		if (this.isAlive && !hasEnded(this.#process.pid)) return;
		throw new Error('the lock was lost before the file was written: the process that held it was ended. Nothing was written.');
	}

	/** Ends it, whatever it waits for, and the command that it has started. */
	end() {
		if (!this.isAlive || !this.#process.pid) return;
		this.isAlive = false;
		this.#count('unref');
		// It leads a group of its own. One that has just ended has none.
		try {
			process.kill(-this.#process.pid, 'SIGKILL');
		} catch {}
	}

	unlock() {
		if (this.isAlive) this.#process.stdin.write('\n');
		this.#count('unref');
	}
}

/** Whether a child has ended, of which Node may not have told yet. @param {number | undefined} pid */
const hasEnded = (pid) => process.platform === 'linux' && /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
