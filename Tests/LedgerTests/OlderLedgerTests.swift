import Conversions
import Ledger
import Testing

/// Ledgers that earlier versions wrote.
@Suite(.timeLimit(.minutes(1))) struct OlderLedgerTests {
  /// What the fourth migration undoes.
  private static let third = """
    CREATE TABLE candidates (entry INTEGER NOT NULL REFERENCES orders ON DELETE CASCADE, referral_id TEXT NOT NULL,
      matched_by TEXT NOT NULL, verdict TEXT NOT NULL, PRIMARY KEY (entry, referral_id)) STRICT, WITHOUT ROWID;
    INSERT INTO candidates VALUES (1, 'r"1', 'email', 'chosen'), (1, 'r2', 'external_source_id', 'not_preferred');
    ALTER TABLE orders DROP COLUMN candidates;
    DROP INDEX orders_transaction;
    CREATE INDEX orders_transaction ON orders (transaction_id) WHERE transaction_id IS NOT NULL;
    DELETE FROM grdb_migrations WHERE identifier LIKE '4:%';
    """

  @Test func candidatesOfAnEarlierVersionAreKept() async throws {
    let fixture = try LedgerFixture()
    do {
      let ledger = try fixture.open()
      _ = try await ledger.take([.readable(makeOrder(1)), .readable(makeOrder(2))])
      try ledger.close()
    }
    try sqlite(fixture.path, Self.third)
    let opened = try fixture.open()
    let candidates = try await opened.transaction { tx in
      (try tx.candidates(of: EntryID(1)), try tx.candidates(of: EntryID(2)))
    }
    #expect(candidates.0.map(\.referralID.text) == ["r\"1", "r2"])
    #expect(candidates.0.map(\.verdict) == [.chosen, .notPreferred] && candidates.1.isEmpty)
    #expect(try await opened.integrityFaults().isEmpty)
  }
}
