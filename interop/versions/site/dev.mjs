// `astro dev`, on a free port.
import { dev } from 'astro';

const { address } = await dev({ root: import.meta.dirname, server: { host: '127.0.0.1', port: 0 } });
console.log(`listening on http://127.0.0.1:${address.port}`);
