// DynamoDB in memory, as dynalite has it: `node dynalite.mjs PORT`. It checks no signatures and frees nothing by itself.
import dynalite from 'dynalite';

const [port] = process.argv.slice(2);
dynalite({ createTableMs: 0 }).listen(Number(port), '127.0.0.1');
