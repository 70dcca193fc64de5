// The entry of a Worker in Rust: gives what `#[event(fetch)]` exports to the runtime.
import { WorkerEntrypoint } from 'cloudflare:workers';
import * as rust from './index.js';
import module from './index_bg.wasm';

rust.initSync({ module });

export default class extends WorkerEntrypoint {
	fetch(request) {
		return rust.fetch(request, this.env, this.ctx);
	}
}
