/// Records of intake: how far each range was read, and the rows that brought.
public protocol IntakeRecords {
  /// Returns the table's ranges in the order of their numbers.
  func ranges() throws -> [SweepRange]
  /// Stores a range; in the same transaction as the rows that its reading brought.
  func setRange(_ range: SweepRange) throws
  /// Forgets every range: the table is another one.
  func removeRanges() throws
  /// Adds to the counts of orders that left nothing behind and belong to no range's count yet.
  func tally(_ outcome: Outcome, _ count: Int) throws
  /// Forgets those counts, as each range has counted anew since.
  func clearTallies() throws
  /// Finds the order that a row shows, and returns how the row stands to it; goes before `insert` and `record`. Writes:
  ///
  /// - The row's key under another ID is another order's: the order that had the key gets that of the one other row with
  ///   its ID. Else it is without a row and decided anew, or removed if others have its ID and it is not spoken for.
  /// - An order without a row gets the row's key if the row has its ID; one that was never sent is decided anew, and
  ///   counts as seen only then.
  /// - An order that retention removed is an order again where its row has changed.
  ///
  /// The store itself tells orders apart, by its indexes and in the transaction that takes the row in: it does so for each
  /// row of millions, and an order that keeps another's key is reported with that one's values.
  func identify(_ row: OrderRow) throws -> RowStanding
  /// Takes in an order that was never seen, as it was decided. A claim that displaces another is taken from its holder,
  /// which is decided again; orders with the same ID are marked for the shop to be asked about.
  func insert(_ row: OrderRow, _ decision: Decision, seenAt: Timestamp, isBackfill: Bool) throws -> EntryID
  /// Identifies a row and takes it in as it was seen. A new or changed order that was never sent is decided again, and a
  /// queued one with other keys counts as decided only now. Orders with an ID that the row gained are marked for the shop
  /// to be asked about; those with an ID that it lost are decided again. A reported order that has become another one
  /// (`ReuseCheck`) goes to review, unless another mapping has yet to read the whole table.
  func record(_ row: OrderRow, seenAt: Timestamp, isBackfill: Bool) throws -> RowChange
  /// Leaves nothing of an order that was never sent but a count under its outcome. The orders that waited behind it, or
  /// have its ID, are decided again.
  func dismiss(_ entry: EntryID, as outcome: Outcome) throws
  /// True if another row is known with this order's transaction ID.
  func isRepeated(_ order: Order) throws -> Bool
  /// Returns IDs that several orders have, of which the shop is to be asked which of their rows are there.
  func repeatedIDs(limit: Int) throws -> [RepeatedID]
  /// Marks IDs that several orders have and that a person must look at, so that the shop is asked about them again.
  func questionRepeatedIDs() throws
  /// Concludes what the shop showed of the rows with an ID, by their keys: of several each is for a person, a single
  /// one is that of the order which goes on (`Namesake.keeper`), and is taken in. The others lose their keys, as by
  /// `identify`. Returns true if a reported order came back as another.
  func resolve(_ id: RepeatedID, shown: [OrderKey: OrderRow], at now: Timestamp) throws -> Bool
  /// Returns the state of the intake as a whole.
  func intakeProgress() throws -> IntakeProgress
  /// Stores the state of the intake as a whole.
  func setIntakeProgress(_ progress: IntakeProgress) throws
  /// Notes that the whole table was read by the present mapping: until then another time of placing is no sign that a
  /// reported order has become another one.
  func endMappingChange() throws
}

/// The facts known of a row's order before the row is taken in.
public enum RowStanding: Hashable, Sendable {
  /// Never seen.
  case unknown
  /// Seen, with this very content.
  case unchanged
  /// Seen, with another content.
  case changed(EntryID)
}

/// The result of `record`.
public enum RowChange: Hashable, Sendable {
  /// Never seen before.
  case new
  /// Seen before with another content.
  case changed
  /// Reported before, and now another order by its time of placing: it is in review.
  case reused
  /// Seen before, and as it was.
  case unchanged
}
