// A lock of redlock that one test controls: each line of its input is a command, which it answers with a line.

const Redis = require("ioredis");
const Redlock = require("redlock");

const [host, port, key, lease, inside] = process.argv.slice(2);
const client = new Redis({ host, port });
const trying = new Redlock([client], { retryCount: 0 });
const waiting = new Redlock([client], { retryCount: -1, retryDelay: 5, retryJitter: 5 });
let held;

async function acquired() {
  try {
    held = await trying.lock(key, Number(lease));
    return "acquired";
  } catch (error) {
    if (error.name === "LockError") {
      return "busy";
    }
    throw error;
  }
}

async function released() {
  try {
    await held.unlock();
    return "released";
  } catch (error) {
    if (error.name === "LockError") {
      return "lost";
    }
    throw error;
  }
}

// Acquires and releases the lock. Returns how often another client was inside at the same time.
async function work(times) {
  let overlaps = 0;
  for (let i = 0; i < times; i++) {
    const lock = await waiting.lock(key, Number(lease));
    if (await client.set(inside, "redlock", "NX")) {
      await client.del(inside);
    } else {
      overlaps++;
    }
    await lock.unlock();
  }
  return overlaps;
}

// Acquires and releases the lock, with the default pauses, and counts the grants, until a key exists.
async function contend(grants, stop) {
  const patient = new Redlock([client], { retryCount: -1 });
  for (let stopped = 0; !stopped; ) {
    const lock = await patient.lock(key, Number(lease));
    await client.incr(grants);
    await new Promise((resolve) => setTimeout(resolve, 2));
    stopped = await client.exists(stop);
    await lock.unlock();
  }
}

async function main() {
  console.log("started");
  for await (const line of require("readline").createInterface({ input: process.stdin })) {
    const [command, ...words] = line.split(" ");
    if (command === "try") {
      console.log(await acquired());
    } else if (command === "release") {
      console.log(await released());
    } else if (command === "work") {
      console.log("overlaps", await work(Number(words[0])));
    } else if (command === "contend") {
      await contend(...words);
      console.log("stopped");
    }
  }
  client.disconnect();
}

main();
