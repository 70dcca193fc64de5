// Where a request waits until the test lets it go on.

const promise = () => Promise.withResolvers<void>();
const gates = new Map<string, { reached: PromiseWithResolvers<void>; open: PromiseWithResolvers<void> }>();

/** The gate of this name, which is made when it is first asked for. */
export function gateOf(name: string) {
	const gate = gates.get(name) ?? { reached: promise(), open: promise() };
	gates.set(name, gate);
	return gate;
}
