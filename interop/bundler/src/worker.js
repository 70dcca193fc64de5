// The entry of a Worker in Rust: hands what `#[event(fetch)]` exports to the runtime. After a panic the next call finds a
// new instance: the crate `worker` and wasm-bindgen see to that.
import { WorkerEntrypoint } from 'cloudflare:workers';
import * as rust from './index.js';
import module from './index_bg.wasm';

rust.initSync({ module });

export default class extends WorkerEntrypoint {
	fetch(request) {
		return rust.fetch(request, this.env, this.ctx);
	}
}
