// What the Rust half has for these pages.
const address = process.env.RUST ?? 'http://127.0.0.1:4321';

export interface Product {
	slug: string;
	name: string;
	price: string;
	summary: string;
	text: string;
	details: string[];
	picture: string;
	alt: string;
}

export interface Catalogue {
	style: string;
	icon: string;
	products: Product[];
}

let known: Promise<Catalogue> | undefined;

/** What there is to buy. It does not change while the shop is open. */
export function catalogue(): Promise<Catalogue> {
	known ??= ask('/api/catalogue').then((answer) => answer.json());
	// What failed is asked for again.
	known.catch(() => (known = undefined));
	return known;
}

/** A piece of a page, rendered by Rust for the same visitor: the cookie goes along. */
export async function piece(path: string, request: Request): Promise<string> {
	const cookie = request.headers.get('cookie') ?? '';
	return (await ask(path, { headers: { cookie } })).text();
}

async function ask(path: string, init?: RequestInit): Promise<Response> {
	const answer = await fetch(new URL(path, address), init);
	if (!answer.ok) throw new Error(`${path} of the Rust half: ${answer.status}`);
	return answer;
}
