/// The account of what was read of a damaged ledger, and of what could not be.
public struct Salvage: Hashable, Sendable {
  /// Orders that the API has.
  public var reported = 0
  /// Orders that an operator took out.
  public var discarded = 0
  /// Orders that wait for a person.
  public var review = 0
  /// Orders whose frozen report is to be sent again with the same bytes.
  public var unfinished = 0
  /// Finished orders of which little is left.
  public var settled = 0
  /// People who were forgotten.
  public var forgotten = 0
  /// Orders that were read and not believed: their content is not what their digest says, or their report is another's.
  public var distrusted = 0
  /// Entries that could not be read: each may have been an order, or none.
  public var unreadable = 0
  /// Tables of which nothing, or not all, could be read.
  public var tables: [String] = []

  /// True if all was read that there was.
  public var isComplete: Bool { distrusted == 0 && unreadable == 0 && tables.isEmpty }

  /// Makes an empty account.
  public init() {}
}
