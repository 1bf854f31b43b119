/// A type by its OID in pg_type, for those that the mapping treats in ways of their own. PostgreSQL never renumbers
/// them (src/include/catalog/pg_type.dat).
enum ColumnType {
  static let bool: UInt32 = 16
  static let int8: UInt32 = 20
  static let int2: UInt32 = 21
  static let int4: UInt32 = 23
  static let text: UInt32 = 25
  static let json: UInt32 = 114
  static let float4: UInt32 = 700
  static let float8: UInt32 = 701
  static let money: UInt32 = 790
  static let bpchar: UInt32 = 1042
  static let varchar: UInt32 = 1043
  static let date: UInt32 = 1082
  static let timestamp: UInt32 = 1114
  static let timestamptz: UInt32 = 1184
  static let numeric: UInt32 = 1700
  static let uuid: UInt32 = 2950
  static let jsonb: UInt32 = 3802

  static let exactNumbers: Set = [int2, int4, int8, numeric]
  static let jsons: Set = [json, jsonb]
  static let texts: Set = [text, varchar, bpchar]
}
