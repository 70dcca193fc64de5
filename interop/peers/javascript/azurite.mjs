// Azurite, Microsoft's emulator of Azure Storage: `node azurite.mjs PORT SERVICE`, where the service is `blob` or `table`.
// It keeps its data in the folder that it runs in, so that it survives its end.
import { createRequire } from 'node:module';

const [port, service] = process.argv.splice(2);
process.argv.push(`--${service}Host`, '127.0.0.1', `--${service}Port`, port);
process.argv.push('--skipApiVersionCheck', '--disableTelemetry', '--silent');
// The service of tables writes everything down when it is interrupted, and nothing when it is terminated.
if (service === 'table') process.once('SIGTERM', () => process.emit('SIGINT'));
createRequire(import.meta.url)(`azurite/dist/src/${service}/main.js`);
