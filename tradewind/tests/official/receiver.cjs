// A receiver as the official JavaScript package has it: verifies every webhook, and prints a line about it.
//
// Reads its secrets from standard input, a line each; the newest counts. Prints `listening on PORT` first.
const { createServer } = require("node:http");
const { createInterface } = require("node:readline");
const { Webhook } = require("standardwebhooks");

const secrets = [];
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

const server = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const said = { id: request.headers["webhook-id"] };
    try {
      said.body = new Webhook(secrets.at(-1)).verify(Buffer.concat(parts).toString(), request.headers);
    } catch (error) {
      said.wrong = String(error);
    }
    say(said);
    response.writeHead(said.wrong ? 400 : 204, { "content-length": 0 }).end();
  });
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`listening on ${server.address().port}\n`));
createInterface({ input: process.stdin }).on("line", (line) => say({ secrets: secrets.push(line.trim()) }));
