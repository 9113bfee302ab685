// How the page talks to its server, and only to that.

const tokenKey = "penstock-token";
let token = sessionStorage.getItem(tokenKey) ?? "";

// Refused is thrown when the token is missing or wrong.
export class Refused extends Error {}

export function useToken(value) {
  token = value;
  sessionStorage.setItem(tokenKey, value);
}

function headers() {
  return token ? { Authorization: "Bearer " + token } : {};
}

async function send(path, options = {}) {
  const answer = await fetch(path, { ...options, headers: { ...headers(), ...options.headers }, cache: "no-store", redirect: "error" });
  if (answer.status === 401) throw new Refused("the token is missing or wrong");
  if (!answer.ok) throw new Error(await reason(answer));
  return answer;
}

async function reason(answer) {
  const text = await answer.text();
  try {
    return JSON.parse(text).error ?? text;
  } catch {
    return text.trim() || answer.statusText;
  }
}

// A number that JavaScript would print with other digits stays as it was written, where the browser can do that.
const exact = (_key, value, context) =>
  typeof value === "number" && JSON.rawJSON && context?.source && String(value) !== context.source ? JSON.rawJSON(context.source) : value;

export const get = async (path) => (await send(path)).json();

// getExact is for values of users: they are printed, not reckoned with.
export const getExact = async (path) => JSON.parse(await (await send(path)).text(), exact);
export const getText = async (path) => (await send(path)).text();


function sendBody(path, body) {
  const options = { method: "POST" };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { "Content-Type": "application/json" };
  }
  return send(path, options);
}

export const post = async (path, body) => (await sendBody(path, body)).json();
export const postForText = async (path, body) => (await sendBody(path, body)).text();

// live reads the stream of events without end: it reconnects when it is cut off,
// sooner at first. on.event gets what comes, on.up and on.down how it is.
export async function live(path, on) {
  for (let delay = 500; ; delay = Math.min(delay * 2, 8000)) {
    try {
      const answer = await send(path);
      on.up();
      delay = 250;
      await read(answer.body, on.event);
      on.down("the server has ended the connection");
    } catch (error) {
      if (error instanceof Refused) {
        await on.refused();
        continue;
      }
      on.down(error.message);
    }
    await new Promise((resolve) => setTimeout(resolve, delay));
  }
}

// read takes a text/event-stream apart. EventSource does that too, but it cannot
// send a token.
async function read(body, give) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      let kind = "message", data = "";
      for (const line of part.split("\n")) {
        if (line.startsWith("event: ")) kind = line.slice(7);
        else if (line.startsWith("data: ")) data += line.slice(6);
      }
      if (data) give(kind, JSON.parse(data));
    }
  }
}
