// The same actions as the Rust probe's, so that one client can call both.
import { ActionError, defineAction } from 'astro:actions';
import { z } from 'astro/zod';
import { parse } from 'devalue';

export const server = {
	nothing: defineAction({ handler: () => undefined }),
	/** Whatever value a devalue text is of. */
	value: defineAction({ input: z.object({ text: z.string() }), handler: ({ text }) => parse(text, { URL: (href) => new URL(href) }) }),
	fail: defineAction({
		input: z.object({ code: z.string(), message: z.string().optional() }),
		handler: ({ code, message }) => {
			throw new ActionError({ code: code as ActionError['code'], message });
		},
	}),
	crash: defineAction({
		handler: () => {
			throw new Error('the password is 1234');
		},
	}),
	cart: {
		add: defineAction({
			input: z.object({ item: z.string().min(1) }),
			handler: async ({ item }, { session }) => {
				const cart = [...((await session?.get('cart')) ?? []), item];
				session?.set('cart', cart);
				return cart;
			},
		}),
	},
	account: {
		signUp: defineAction({
			accept: 'form',
			input: z.object({
				name: z.string(),
				age: z.number(),
				newsletter: z.boolean(),
				interests: z.array(z.string()),
				sizes: z.array(z.number()),
				note: z.string().optional(),
				address: z.object({ town: z.string(), code: z.number().optional() }),
				greeting: z.string().default('Hello'),
			}),
			handler: (input) => input,
		}),
		upload: defineAction({
			accept: 'form',
			input: z.object({ title: z.string(), file: z.instanceof(File) }),
			handler: async ({ title, file }) => ({ title, name: file.name, type: file.type, text: await file.text() }),
		}),
	},
};
