import ArgumentParser

/// The checks that `check` makes, by the names that `--only` and `--skip` take.
enum CheckName: String, CaseIterable, ExpressibleByArgument {
  case configuration
  case owner
  case key
  case database
  case api
  case disk
  case ledger
  case unit

  /// The checks that are left by these options.
  static func chosen(only: [CheckName], skip: [CheckName]) -> Set<CheckName> {
    Set(only.isEmpty ? allCases : only).subtracting(skip)
  }
}
