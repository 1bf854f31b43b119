/// A server's five-character error code (PostgreSQL manual, Appendix A).
public struct SQLState: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The five characters.
  public let rawValue: String

  /// Wraps five characters as the server sent them.
  public init(rawValue: String) { self.rawValue = rawValue }

  /// The five characters.
  public var description: String { rawValue }

  /// The kinds of failure that lead to different next steps.
  public enum Kind: Sendable, CaseIterable {
    /// No connection, or one that ended: classes 08, 57P0x, no free slot, no such database.
    case unreachable
    /// The role is refused, or may not read: class 28, 42501.
    case permission
    /// The statement does not fit the tables: class 42 otherwise, a missing schema, a feature that is not there.
    case mapping
    /// The same statement may work in a moment: cancelled, timed out, locked, deadlocked, short of resources.
    case transient
    /// One row's value: class 22, a sub-select with two rows, a raised exception, a damaged tuple (class XX).
    case data
    /// Anything else.
    case other
  }

  /// No free connection slot.
  public static let tooManyConnections = Self(rawValue: "53300")
  /// Cancelled, by a time limit or by a request.
  public static let queryCanceled = Self(rawValue: "57014")
  /// Bytes that are no text in their encoding.
  public static let characterNotInRepertoire = Self(rawValue: "22021")

  /// The first two characters.
  public var classCode: String { String(rawValue.prefix(2)) }

  /// The kind of failure that the code stands for.
  public var kind: Kind {
    switch rawValue {
    case "42501": return .permission
    case "53300", "57P01", "57P02", "57P03", "57P04", "57P05", "3D000", "25P03": return .unreachable
    case "57014", "55P03", "55006", "25P04": return .transient
    case "3F000", "0A000": return .mapping
    case "21000", "54001": return .data
    default: break
    }
    switch classCode {
    case "08": return .unreachable
    case "28": return .permission
    case "42": return .mapping
    case "40", "53": return .transient
    case "22", "38", "P0", "XX": return .data
    default: return .other
    }
  }
}
