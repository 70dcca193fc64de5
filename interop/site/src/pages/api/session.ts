// For the tests alone: the session's methods by name, so that a test can store any value that JavaScript has.
// The request is a JSON array of steps; the answer is a JSON array with the result of each. Values travel as devalue
// texts. The Rust probe answers the same requests.
import type { APIRoute } from 'astro';
import { parse, stringify } from 'devalue';
import { gateOf } from '../../gates';

type Step =
	| { do: 'set'; key: string; value: string; ttl?: number }
	| { do: 'get' | 'has' | 'delete'; key: string }
	/** Reads one key and writes what was read under another, so that this side writes the value anew. */
	| { do: 'copy'; key: string; to: string }
	/** Adds an item to a list, however many do so at once; where the site cannot, as a page would: it reads, and sets. */
	| { do: 'push'; key: string; item: unknown }
	/** Adds an item to a list that it has read. */
	| { do: 'append'; key: string; item: unknown }
	/** The same with several, all at once within the request. */
	| { do: 'pushAll'; key: string; items: unknown[] }
	| { do: 'wait'; gate: string }
	| { do: 'load'; id: string }
	| { do: 'keys' | 'id' | 'regenerate' | 'destroy' };

type Session = NonNullable<Parameters<APIRoute>[0]['session']>;

async function take(step: Step, session: Session): Promise<unknown> {
	switch (step.do) {
		case 'set':
			return session.set(step.key, parse(step.value), { ttl: step.ttl });
		case 'get':
			return (await session.has(step.key)) ? stringify(await session.get(step.key)) : null;
		case 'has':
			return session.has(step.key);
		case 'delete':
			return session.delete(step.key);
		case 'copy':
			return session.set(step.to, await session.get(step.key));
		case 'push': {
			const push = (list: unknown[] = []) => [...list, step.item];
			// Of the integration @cloakroom/astro.
			if ('update' in session) return (session.update as Function)(step.key, push);
			return session.set(step.key, push(await session.get(step.key)));
		}
		case 'pushAll':
			await Promise.all(step.items.map((item) => take({ do: 'push', key: step.key, item }, session)));
			return undefined;
		case 'append': {
			const list = [...((await session.get(step.key)) ?? []), step.item];
			session.set(step.key, list);
			return list;
		}
		case 'wait': {
			const gate = gateOf(step.gate);
			gate.reached.resolve();
			return gate.open.promise;
		}
		case 'keys':
			return [...(await session.keys())];
		case 'id':
			return session.sessionID ?? null;
		case 'load':
			return session.load(step.id);
		case 'regenerate':
			return session.regenerate();
		case 'destroy':
			return session.destroy();
	}
}

export const POST: APIRoute = async ({ request, session }) => {
	if (!session) return new Response('This site has no sessions.', { status: 500 });
	const results: unknown[] = [];
	for (const step of (await request.json()) as Step[]) results.push((await take(step, session)) ?? null);
	return Response.json(results);
};
