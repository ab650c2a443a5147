/**
 * What this browser keeps until the server has it: unacknowledged updates, and drafts whose page
 * was started afresh. IndexedDB, keyed by person, page and epoch; a row goes when it is durable.
 * Without IndexedDB everything still works, only closing the tab would lose what is unsent.
 */

export interface Key {
  person: string;
  page: string;
  epoch: number;
}

export interface Kept {
  id: number;
  epoch: number;
  update: Uint8Array;
}

interface Row {
  person: string;
  page: string;
  epoch: number;
  update: Uint8Array;
}

const DATABASE = "groundswell";
const UPDATES = "unsent";
const BY_PAGE = "by-page";

export class LocalCopy {
  private constructor(
    private database: IDBDatabase | null,
    private readonly key: Key,
  ) {}

  static async open(key: Key): Promise<LocalCopy> {
    try {
      return new LocalCopy(await openDatabase(), key);
    } catch {
      return new LocalCopy(null, key); // private windows and full disks: the status says so
    }
  }

  get isKeeping(): boolean {
    return this.database !== null;
  }

  /** What is kept of this page, of any epoch, oldest first. */
  async kept(): Promise<Kept[]> {
    if (this.database === null) return [];
    const store = this.database.transaction(UPDATES).objectStore(UPDATES);
    const range = IDBKeyRange.only([this.key.person, this.key.page]);
    const kept: Kept[] = [];
    await new Promise<void>((resolve, reject) => {
      const request = store.index(BY_PAGE).openCursor(range);
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const cursor = request.result;
        if (cursor === null) return resolve();
        const row = cursor.value as Row;
        kept.push({ id: Number(cursor.primaryKey), epoch: row.epoch, update: row.update });
        cursor.continue();
      };
    });
    return kept;
  }

  /** The row's number once it is written, or null when nothing can be kept. */
  async keep(update: Uint8Array, epoch = this.key.epoch): Promise<number | null> {
    if (this.database === null) return null;
    const row: Row = { ...this.key, epoch, update };
    const store = this.database.transaction(UPDATES, "readwrite").objectStore(UPDATES);
    const added = store.add(row);
    await complete(store.transaction);
    return Number(added.result);
  }

  async forget(ids: readonly number[]): Promise<void> {
    if (this.database === null || ids.length === 0) return;
    const store = this.database.transaction(UPDATES, "readwrite").objectStore(UPDATES);
    for (const id of ids) store.delete(id);
    await complete(store.transaction);
  }

  close(): void {
    this.database?.close();
    this.database = null;
  }
}

async function openDatabase(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => {
    const store = request.result.createObjectStore(UPDATES, { autoIncrement: true });
    store.createIndex(BY_PAGE, ["person", "page"]);
  };
  return done(request);
}

/** A request that went well may still be undone with its transaction. */
function complete(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

function done<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
