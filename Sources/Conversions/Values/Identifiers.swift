/// A text that is one and the same only where its bytes are, as in PostgreSQL, in SQLite and in the API. A `String`
/// takes two for equal that are spelt with different Unicode characters and look alike.
public protocol ByteText: Equatable {
  /// The text.
  var text: String { get }
}

extension ByteText {
  /// True if the bytes are the same.
  public static func == (left: Self, right: Self) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }
}

/// An order's key: the text PostgreSQL prints for `orders.key`, in whatever type the column has.
public struct OrderKey: ByteText, Hashable, Sendable, Codable, CustomStringConvertible {
  /// The key as PostgreSQL prints it.
  public let text: String

  /// Wraps a key as PostgreSQL printed it.
  public init(_ text: String) { self.text = text }

  /// The key's text.
  public var description: String { text }
}

/// The ID of an order as the API is told it (`externalTransactionId`), so that the partner recognises it.
public struct TransactionID: ByteText, Hashable, Sendable, Codable, CustomStringConvertible {
  /// The longest that is sent, in bytes: the reference states no limit, and no shop's order ID comes near.
  public static let bytesMax = 255

  /// The ID as it is sent.
  public let text: String

  /// Takes an ID as it stands; nil where no API should be sent it: empty, longer than `bytesMax`, or with control
  /// characters, which could forge a line in a log or an export.
  public init?(_ text: String) {
    guard !text.isEmpty, text.utf8.count <= Self.bytesMax else { return nil }
    guard !text.unicodeScalars.contains(where: Self.isControl) else { return nil }
    self.text = text
  }

  /// True if a scalar is of the general category "Control": these are all of them, for ever (Unicode, Character
  /// Encoding Stability Policies), and to ask for a scalar's category takes longer than all else that is done with an
  /// ID.
  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
  }

  /// The ID's text.
  public var description: String { text }
}

/// A referral's stable ID, as the API gave it.
public struct ReferralID: ByteText, Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
  /// The longest that is put into a URL, in bytes: the API's own are a tenth of it.
  public static let bytesMax = 512

  /// The ID as the API gave it; percent-encoded wherever it enters a URL.
  public let text: String

  /// Wraps an ID as the API gave it.
  public init(_ text: String) { self.text = text }

  /// True if a URL can name it: an empty one would ask for the list, and one of dots alone is a step upwards to every
  /// server that normalises paths (RFC 3986, 5.2.4), encoded or not.
  public var fitsURL: Bool {
    !text.isEmpty && text.utf8.count <= Self.bytesMax && !text.utf8.allSatisfy { $0 == UInt8(ascii: ".") }
  }

  /// Orders IDs by their bytes, so that equal times still have one answer.
  public static func < (left: Self, right: Self) -> Bool { left.text.utf8.lexicographicallyPrecedes(right.text.utf8) }

  /// The ID's text.
  public var description: String { text }
}

/// The number of an order in the ledger: `queue list` prints it, and commands take it, as `#210`.
public struct EntryID: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
  /// The number, from 1.
  public let number: Int64

  /// Wraps a number that the ledger gave out.
  public init(_ number: Int64) { self.number = number }

  /// True if the left entry is the earlier one.
  public static func < (left: Self, right: Self) -> Bool { left.number < right.number }

  /// The number in decimal.
  public var description: String { String(number) }
}

/// The partner's own reference for a referral (`externalSourceId`): compared exactly, but for white space
/// around it and for Unicode's two ways of writing an accent.
public struct ExternalSourceID: Hashable, Sendable, Codable, CustomStringConvertible {
  /// The normal form: trimmed, NFC.
  public let text: String

  /// Wraps a normal form that was made before.
  public init(normalForm text: String) { self.text = text }

  /// Makes the normal form; nil where nothing is left.
  public init?(_ raw: String) {
    guard let text = NormalForm.trimmed(raw) else { return nil }
    self.text = text
  }

  /// The normal form's text.
  public var description: String { text }
}
