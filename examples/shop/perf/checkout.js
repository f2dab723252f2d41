// Buys carts at a steady rate. The limits are in lockgate.toml ([perf.checkout.thresholds]); this script only makes the load and
// checks that answers are right.
import { check } from 'k6';
import http from 'k6/http';

const shop = __ENV.SHOP_URL || 'http://service:8000';
const json = { headers: { 'Content-Type': 'application/json' } };

export const options = {
  scenarios: {
    checkout: {
      executor: 'constant-arrival-rate', // a slow answer does not slow the load down
      rate: Number(__ENV.RATE || 20),
      timeUnit: '1s',
      duration: __ENV.DURATION || '10s',
      preAllocatedVUs: 20,
      maxVUs: 50,
    },
  },
  summaryTrendStats: ['min', 'med', 'avg', 'p(90)', 'p(95)', 'p(99)', 'max'],
};

export function setup() {
  const answer = http.get(`${shop}/products`);
  if (answer.status !== 200) {
    throw new Error(`the shop at ${shop} does not answer: ${answer.status} ${answer.error}`);
  }
  return answer.json().filter((product) => product.stock >= 10000).map((product) => product.sku);
}

export default function (skus) {
  const sku = skus[(__VU + __ITER) % skus.length];
  const cart = http.post(`${shop}/carts`, null, { tags: { name: '/carts' } }).json('id');
  http.put(`${shop}/carts/${cart}/lines/${sku}`, JSON.stringify({ quantity: 2 }), { ...json, tags: { name: '/carts/{id}/lines/{sku}' } });
  const order = http.post(`${shop}/checkout`, JSON.stringify({ cart_id: cart, country: 'DE', email: 'load@example.com' }), {
    headers: { ...json.headers, 'Idempotency-Key': `load-${__VU}-${__ITER}-${Date.now()}` },
    tags: { name: '/checkout' },
  });
  check(order, { 'order placed': (answer) => answer.status === 201, 'tax is due': (answer) => answer.json('tax_cents') > 0 });
}
