/*
 * advisory.h
 *    What follows from advisories in SQL: parts of statements.
 */
#ifndef CLAIR_UPDATE_ADVISORY_H
#define CLAIR_UPDATE_ADVISORY_H

/* The columns of clair.advisory. */
#define ADVISORY_COLUMNS                                                                           \
	"vulnerability, a.namespace, package, fixed, introduced, last_affected, severity, status,"     \
	" kind, advisory, aliases, link, description, architectures, module, flavour, repositories"

/*
 * The rows of a table with these columns, as a table: with the format of their versions, and what
 * is wrong with them, or NULL. Namespaces are judged once each.
 */
#define JUDGED(table)                                                                              \
	"(SELECT a.*, n.format,"                                                                       \
	"     CASE WHEN n.judged IS NULL THEN clair.namespace_problem(NULL)"                           \
	"         ELSE COALESCE(n.problem, clair.advisory_problem("                                    \
	"             ROW(" ADVISORY_COLUMNS ")::clair.advisory, n.format)) END AS problem"            \
	" FROM " table " AS a"                                                                         \
	"     LEFT JOIN (SELECT d.namespace AS judged, clair.namespace_format(d.namespace) AS format," \
	"                    clair.namespace_problem(d.namespace) AS problem"                          \
	"                FROM (SELECT DISTINCT namespace FROM " table " AS a) AS d) AS n"              \
	"         ON n.judged = a.namespace)"

/* Of their columns, and format: what null stands for. */
#define ADVISORY_KIND                                                                              \
	"COALESCE(kind, CASE format WHEN 'rpm' THEN 'binary' ELSE 'source' END::clair.package_kind)"
#define ADVISORY_STATUS                                                                            \
	"COALESCE(status, CASE WHEN fixed IS NULL THEN 'affected' ELSE 'fixed' END::clair.status)"
#define ADVISORY_SEVERITY "COALESCE(severity, 'Unknown')"

/* The elements of an array as scopes and aliases are staged: blank-separated, and in order. */
#define BLANK_SEPARATED(array)                                                                     \
	"(SELECT string_agg(DISTINCT item COLLATE \"C\", ' ' ORDER BY item COLLATE \"C\")"             \
	" FROM unnest(" array ") AS item)"
#define ADVISORY_ARCHITECTURES BLANK_SEPARATED("architectures")
#define ADVISORY_REPOSITORIES  BLANK_SEPARATED("repositories")
#define ADVISORY_ALIASES	   BLANK_SEPARATED("aliases")

#endif
