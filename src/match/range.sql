/*
 * From a range to the features in it, whether the range is current or was once: what a change of
 * ranges means for images is found out with it.
 *
 * The planner puts the function's body in place of the call. It stops at package databases, which
 * many images share; that a range is for the packages of certain repositories is left to the
 * caller, since the images of a database may differ in that.
 */
CREATE FUNCTION clair.features_in_range(namespace text, kind clair.package_kind, package text,
    introduced clair.version, fixed clair.version, scope_id integer)
RETURNS TABLE (database_id bigint, number integer, name text, version clair.version, namespace text,
    repositories text[], by_default boolean)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10
BEGIN ATOMIC
    SELECT
        f.database_id, f.number, f.name, f.version, base.namespace, s.repositories,
        f.namespace = ANY (s.repositories)
    FROM (
        SELECT source.*
        FROM clair.feature AS source
        WHERE features_in_range.kind = 'source'
            AND source.namespace = features_in_range.namespace
            AND source.source_name = features_in_range.package
            AND source.source_version < features_in_range.fixed
            AND source.source_version >= features_in_range.introduced
        UNION ALL
        SELECT installed.*
        FROM clair.feature AS installed
        WHERE features_in_range.kind = 'binary'
            AND installed.namespace = features_in_range.namespace
            AND installed.name = features_in_range.package
            AND installed.version < features_in_range.fixed
            AND installed.version >= features_in_range.introduced
    ) AS f
        JOIN clair.package_database AS base ON base.id = f.database_id
        LEFT JOIN clair.scope AS s ON s.id = features_in_range.scope_id
    WHERE (s.architectures IS NULL OR f.architecture = ANY (s.architectures || 'noarch'::text))
        AND (s.module IS NULL OR s.module = COALESCE(f.module, ''))
        AND (s.flavour IS NULL OR s.flavour = f.flavour
            OR s.flavour = 'subpackage' AND f.name <> f.source_name);
END;
COMMENT ON FUNCTION clair.features_in_range(text, clair.package_kind, text, clair.version, clair.version,
    integer) IS
    'the features in an affected range, with the namespace of their package database; repositories: the features of an image count only if its packages are from one of these, or, by_default, if nothing says where they are from';
REVOKE ALL ON FUNCTION clair.features_in_range(text, clair.package_kind, text, clair.version,
    clair.version, integer) FROM PUBLIC;
