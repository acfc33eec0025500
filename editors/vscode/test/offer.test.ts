import assert from "node:assert/strict";
import test from "node:test";

import { Offer, type Offered } from "../src/nextEdit/offer";

const EDIT: Offered = {
  uri: "file:///a.py",
  version: 3,
  changes: [{ start: 4, oldText: "r", newText: "radius" }],
  way: "inline",
  item: {
    textDocument: { uri: "file:///a.py", version: 3 },
    command: { title: "Midfill", command: "midfill.nextEditAccepted", arguments: [1] },
    changes: [],
  },
};

function offered(edit: Offered = EDIT): Offer {
  const offer = new Offer();
  offer.make(edit);
  return offer;
}

test("typing the edit keeps it, for the new version", () => {
  const offer = offered();
  assert.equal(offer.changed(EDIT.uri, 4, [{ rangeOffset: 5, rangeLength: 0, text: "a" }]), "kept");
  assert.deepEqual(offer.current, { ...EDIT, version: 4, changes: [{ start: 6, oldText: "", newText: "dius" }] });
});

test("an edit that is made in full is over, by hand or at once", () => {
  const offer = offered();
  assert.equal(offer.changed(EDIT.uri, 4, [{ rangeOffset: 4, rangeLength: 1, text: "radius" }]), "completed");
  assert.equal(offer.current, undefined);
});

test("any other change drops the edit, also one of another document", () => {
  const key = [{ rangeOffset: 5, rangeLength: 0, text: "x" }];
  const [here, there] = [offered(), offered()];
  assert.equal(here.changed(EDIT.uri, 4, key), "dropped");
  assert.equal(there.changed("file:///b.py", 9, key), "dropped");
  assert.equal(here.current ?? there.current, undefined);
  assert.equal(here.changed(EDIT.uri, 5, key), "none");
});

test("what was withdrawn may be offered again", () => {
  const offer = offered();
  offer.withdraw();
  assert.equal(offer.current, undefined);
  offer.make(EDIT);
  assert.equal(offer.current, EDIT);
});

test("an inline edit can become a drawn one, if there is one", () => {
  const offer = offered();
  offer.drawFromNowOn();
  assert.equal(offer.current?.way, "drawn");
  offer.withdraw();
  offer.drawFromNowOn();
  assert.equal(offer.current, undefined);
});
