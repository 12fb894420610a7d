# Proves that what test/deploy and META.json tell packagers, builders and clusters holds together: one
# version everywhere, the rules of PGXN's Meta Spec, dependencies that are those of test/deps, manifests
# that are valid and ask for what they promise, and a setup that may run again and again.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Schema;
use Test::More;

my $top    = "$FindBin::Bin/../..";
my $deploy = "$top/test/deploy";
my $meta   = decode_json(slurp_file("$top/META.json"));

# ---------------------------------------------------------------------------
# META.json, by the PGXN Meta Spec 1.0.0
# ---------------------------------------------------------------------------

my $semver   = qr/(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-?[A-Za-z][-0-9A-Za-z]*)?/;
my $term     = qr{\A[^\s/\\[:cntrl:]]{2,}\z};
my %licenses = map { $_ => 1 } qw(agpl_3 apache_1_1 apache_2_0 artistic_1 artistic_2 bsd freebsd gfdl_1_2
    gfdl_1_3 gpl_1 gpl_2 gpl_3 lgpl_2_1 lgpl_3_0 mit mozilla_1_0 mozilla_1_1 openssl perl_5 postgresql qpl_1_0
    ssleay sun zlib open_source restricted unrestricted unknown);
my %known = map { $_ => 1 } qw(abstract description generated_by license maintainer meta-spec name no_index
    prereqs provides release_status resources tags version);

# What is wrong with a META.json; nothing, when it keeps to the specification.
sub meta_problems
{
    my ($m) = @_;
    my @problems = map { "$_ is missing" }
        grep { !defined $m->{$_} } qw(abstract maintainer license provides name version meta-spec);

    push @problems, "$_ is not known" for grep { !$known{$_} && !/^x_/i } sort keys %$m;
    return @problems if @problems;
    push @problems, 'name is no term' if $m->{name} !~ $term;
    push @problems, 'version is no semantic version' if $m->{version} !~ /\A$semver\z/;
    push @problems, 'abstract is no text' if ref $m->{abstract} || $m->{abstract} eq '';
    push @problems, "license $_ is not known"
        for grep { !$licenses{$_} } ref $m->{license} eq 'ARRAY' ? @{ $m->{license} } : $m->{license};
    push @problems, 'no maintainer' if !grep { length } ref $m->{maintainer} ? @{ $m->{maintainer} } : $m->{maintainer};
    push @problems, 'meta-spec is another' if $m->{'meta-spec'}{version} ne '1.0.0';
    push @problems, 'nothing is provided' if !%{ $m->{provides} };
    for my $name (sort keys %{ $m->{provides} })
    {
        my $provided = $m->{provides}{$name};

        push @problems, "$name is no term" if $name !~ $term;
        push @problems, "$name has no version" if ($provided->{version} // '') !~ /\A$semver\z/;
        push @problems, "$name has no file" if !defined $provided->{file};
        push @problems, "$name: $_ is not known" for grep { !/^(?:abstract|file|version|docfile|x_.*)$/i } sort keys %$provided;
    }
    for my $phase (sort keys %{ $m->{prereqs} // {} })
    {
        push @problems, "phase $phase is not known" if $phase !~ /^(?:configure|build|test|runtime|develop)$/;
        for my $relation (sort keys %{ $m->{prereqs}{$phase} })
        {
            my $of = $m->{prereqs}{$phase}{$relation};

            push @problems, "relation $relation is not known" if $relation !~ /^(?:requires|recommends|suggests|conflicts)$/;
            push @problems, map { "$_ is asked for in no version that there is" }
                grep { $of->{$_} !~ /\A(?:0|(?:(?:[<>]=?|==|!=)\s*)?$semver)(?:\s*,\s*(?:[<>]=?|==|!=)\s*$semver)*\z/ } sort keys %$of;
        }
    }
    push @problems, "tag $_ is none"
        for grep { ref || !length || length > 255 || m{[/\\[:cntrl:]]} } @{ $m->{tags} // [] };
    push @problems, 'release_status is not known'
        if ($m->{release_status} // 'stable') !~ /^(?:stable|testing|unstable)$/;
    return @problems;
}

is_deeply([ meta_problems($meta) ], [], 'META.json keeps to the specification');
is(scalar(meta_problems({ %$meta, @$_ })), 1, "it would not with $_->[0] " . encode_json([ $_->[1] ]))
    for [ version => '1.0' ], [ license => 'beer' ], [ colour => 'red' ], [ name => 'a b' ], [ tags => ['a/b'] ],
    [ prereqs => { runtime => { requires => { PostgreSQL => '14' } } } ], [ provides => {} ];
# of the sources, only the tests' part is here
is_deeply([ grep { !/^(?:src|updaters)\// && !-e "$top/$_" } map { @$_{qw(file docfile)} } values %{ $meta->{provides} } ],
    [], 'the files that it names are there');

# ---------------------------------------------------------------------------
# One version
# ---------------------------------------------------------------------------

my $version = $meta->{version};
my ($default)   = slurp_file("$top/clair.control") =~ /^default_version = '([^']*)'$/m;
my ($change)    = slurp_file("$top/CHANGELOG.md") =~ /^## (\S+)/m;
my ($package)   = slurp_file("$deploy/debian/changelog") =~ /\A\S+ \(([^)]*)\)/;
my $compose     = slurp_file("$deploy/container/compose.yaml");
my $statefulset = slurp_file("$deploy/kubernetes/statefulset.yaml");

like($version, qr/\A\Q$default\E\.\d+\z/, 'a release has the version of the extension, and a third number');
is($meta->{provides}{clair}{version}, $version, 'META.json says so twice');
is($change, $default, 'CHANGELOG.md begins with it');
like($package, qr/\A\Q$version\E-\d+\z/, 'the Debian package has it');
is_deeply([ map { /image: clair:(\S+)/ } $compose, $statefulset, slurp_file("$deploy/kubernetes/kustomization.yaml") =~ s/newTag:/image: clair:/r =~ s/clair: /clair:/r ],
    [ ($version) x 3 ], 'so have the images of compose and Kubernetes');

# ---------------------------------------------------------------------------
# Packages
# ---------------------------------------------------------------------------

my $deps    = slurp_file("$top/test/deps");
my $control = slurp_file("$deploy/debian/control");

# The names of a field of debian/control, without what they are restricted to.
sub field
{
    my ($name) = @_;
    my ($value) = $control =~ /^\Q$name\E:((?:.*\n)(?: .*\n)*)/m;

    return map { /^\s*([\w.+\@-]+)/ ? $1 : () } split(/,/, $value);
}

my ($libraries) = $deps =~ /^libraries=\(([^)]*)\)/m;
is_deeply(
    [ sort grep { /-dev$/ && !/^postgresql/ } field('Build-Depends') ],
    [ sort split(' ', $libraries), 'libisal-dev' ],
    'the package is built from the libraries that test/deps names');
like($control, qr/libisal-dev \[amd64 arm64\]/, 'isa-l is asked for where test/deps does');
is_deeply([ $deps =~ /(x86_64 \| aarch64)\) wanted\+=\(libisal-dev\)/ ], ['x86_64 | aarch64'], 'which is these');

# ---------------------------------------------------------------------------
# The image
# ---------------------------------------------------------------------------

my $recipe = slurp_file("$deploy/container/Containerfile") =~ s/\\\n//gr;
my %may = map { s/\@PG\@/\${PG_MAJOR}/r => 1 } 'build-essential', '/packages/clair.deb', field('Recommends');
my @installed = map { split } $recipe =~ /apt-get install -y --no-install-recommends ([^&\n]*)/g;

is_deeply([ grep { !$may{$_} } @installed ], [], 'the image has what the package recommends, and nothing else');
is_deeply([ sort @installed ], [ sort keys %may ], 'and all of it');
is_deeply([ grep { !/^(?:\$\{BASE\}|debian:bookworm-slim)$/ } $recipe =~ /^(?:FROM |ARG BASE=)(\S+)/mg ],
    [], 'it names no registry');
is_deeply([ grep { !-e "$top/$_" } grep { m{^test/} } map { split } $recipe =~ /^COPY --chmod=\S+ (.*)$/mg ],
    [], 'what it copies is there');
is_deeply([ $recipe =~ /^USER (\S+)$/mg ], ['999:999'], 'nothing in it runs as root');
like($recipe, qr/^HEALTHCHECK .* CMD \["clair-health"\]$/m, 'it has a health check');
for my $script (glob("$deploy/{deb,dist,image,scan,check-*,package_life,lib.sh,container/clair-*,debian/tests/{scan,installcheck}}"))
{
    is(system('bash', '-n', $script), 0, 'bash understands ' . $script =~ s/.*deploy\///r);
}

# ---------------------------------------------------------------------------
# Manifests
# ---------------------------------------------------------------------------

# The documents of a YAML file.
sub yaml_documents
{
    my ($file) = @_;

    return decode_json(
        run_command([ 'python3', '-c', 'import json, sys, yaml; json.dump(list(yaml.safe_load_all(open(sys.argv[1]))), sys.stdout)', $file ]));
}

SKIP:
{
    if (system(q{python3 -c 'import yaml' >/dev/null 2>&1}) != 0)
    {
        note('SKIP: manifests are not checked: python3-yaml is not there');
        skip 'python3-yaml is not there', 14;
    }
    my ($service) = yaml_documents("$deploy/container/compose.yaml")->[0];
    valid_json('compose.json', encode_json($service), 'compose.yaml is valid');
    my $clair = $service->{services}{clair};
    is_deeply(
        [ @$clair{qw(user read_only)}, @{ $clair->{cap_drop} }, @{ $clair->{security_opt} } ],
        [ '999:999', JSON::PP::true, 'ALL', 'no-new-privileges:true' ],
        'compose.yaml gives the container nothing');
    is_deeply([ sort @{ $clair->{secrets} } ], [ sort keys %{ $service->{secrets} } ], 'it defines its secrets');

    my %manifest;
    my $kustomization = yaml_documents("$deploy/kubernetes/kustomization.yaml")->[0];
    my @files = (@{ $kustomization->{resources} }, 'secret.yaml');
    is_deeply([ sort @files, 'kustomization.yaml' ], [ sort map { s/.*\///r } glob("$deploy/kubernetes/*.yaml") ],
        'kustomization.yaml has all manifests, but for the secret');
    for my $file (@files)
    {
        my ($document) = @{ yaml_documents("$deploy/kubernetes/$file") };
        my ($group, $api) = $document->{apiVersion} =~ m{^(?:([a-z]+)[a-z0-9.]*/)?(\w+)$};

        $manifest{ $document->{kind} } = $document;
        valid_json('kubernetes.json', encode_json($document), "$file is valid",
            sprintf('#/$defs/io.k8s.api.%s.%s.%s', $group // 'core', $api, $document->{kind}));
    }

    my $pod       = $manifest{StatefulSet}{spec}{template};
    my $container = $pod->{spec}{containers}[0];
    my $labels    = $manifest{StatefulSet}{spec}{selector}{matchLabels};
    is_deeply(
        [
            @{ $pod->{spec}{securityContext} }{qw(runAsNonRoot runAsUser fsGroup)},
            $pod->{spec}{securityContext}{seccompProfile}{type},
            $container->{securityContext}{capabilities}{drop}[0],
            @{ $container->{securityContext} }{qw(allowPrivilegeEscalation readOnlyRootFilesystem)},
            grep { $_ } @{ $pod->{spec} }{qw(hostNetwork hostPID hostIPC automountServiceAccountToken)}
        ],
        [ JSON::PP::true, 999, 999, 'RuntimeDefault', 'ALL', JSON::PP::false, JSON::PP::true ],
        'the pod keeps to the restricted standard, and its root cannot be written');
    is($manifest{Namespace}{metadata}{labels}{'pod-security.kubernetes.io/enforce'}, 'restricted', 'which its namespace enforces');
    is_deeply([ $pod->{metadata}{labels}, $manifest{Service}{spec}{selector}, $manifest{NetworkPolicy}{spec}{podSelector}{matchLabels} ],
        [ ($labels) x 3 ], 'service and policy are for that pod');
    is_deeply(
        [ sort map { $_->{name} } @{ $container->{volumeMounts} } ],
        [ sort map { $_->{name} // $_->{metadata}{name} } @{ $pod->{spec}{volumes} }, @{ $manifest{StatefulSet}{spec}{volumeClaimTemplates} } ],
        'it mounts the volumes that it has');
    is_deeply([ sort keys %{ $manifest{Secret}{stringData} } ], [ sort keys %{ $service->{secrets} } ],
        'the secret has the roles that compose.yaml has');
}

# ---------------------------------------------------------------------------
# The setup of the database in the image
# ---------------------------------------------------------------------------

SKIP:
{
    my $node = PostgreSQL::Test::Cluster->new('deploy');

    if (!-e $node->config_data('--pkglibdir') . '/pg_cron.so')
    {
        note('SKIP: the setup of the image is not tested: there is no pg_cron');
        skip 'there is no pg_cron', 9;
    }
    $node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
    $node->start;
    $node->safe_psql('postgres', 'CREATE DATABASE clair');
    $node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'pg_cron'
cron.database_name = 'clair'
cron.use_background_workers = on
log_statement = 'all'
CONF
    $node->restart;
    my $secrets = PostgreSQL::Test::Utils::tempdir();
    append_to_file("$secrets/clair_read", "first'password\n");
    local $ENV{CLAIR_SECRETS} = $secrets;

    # As clair-server calls it.
    my $set_up = sub {
        my %set = (has_read => 'true', has_index => 'false', has_administer => 'false', has_mirror => 'false',
            mirror => '', schedule => '17 * * * *', @_);

        return [ run_command([ 'psql', qw(-X -q -U), $node->safe_psql('postgres', 'SELECT current_user'), '-h', $node->host, '-p', $node->port,
            '-d', 'clair', '-f', "$deploy/container/setup.sql", map { "--set=$_=$set{$_}" } sort keys %set ]) ];
    };
    my $roles = "SELECT string_agg(rolname || ' ' || rolcanlogin, ', ' ORDER BY rolname) FROM pg_roles WHERE rolname ~ '^clair_'";
    my $jobs  = "SELECT string_agg(username || ': ' || command, '; ' ORDER BY command) FROM cron.job";
    my $clean = "clair_schedule: SELECT * FROM clair.clean_up('1 year', '90 days')";
    my $update = 'clair_schedule: SELECT clair.update(wait => false)';

    is_deeply($set_up->(), [ '', '' ], 'a new database is set up without a word');
    is($node->safe_psql('clair', $roles), 'clair_administer false, clair_index false, clair_read true, clair_schedule true',
        'who has a password may log in');
    is($node->safe_psql('clair', $jobs), "$clean; clair_schedule: SELECT clair.deliver_webhooks(wait => false); $update",
        'cleaning up, webhooks and updates are scheduled');
    is($node->safe_psql('clair', "SET SESSION AUTHORIZATION clair_schedule;
        SELECT count(*) > 0 FROM clair.clean_up('1 year', '90 days'); SELECT clair.deliver_webhooks(wait => false)"), 't',
        'and the role that they run as may do that');
    is($node->safe_psql('clair', "SELECT has_function_privilege('clair_index', 'clair.index_image(bytea, text, text)', 'EXECUTE'),
        has_function_privilege('clair_read', 'clair.index_image(bytea, text, text)', 'EXECUTE')"), 't|f', 'roles have their privileges');
    $node->safe_psql('clair', "SET ROLE clair_schedule; SELECT cron.unschedule('clair webhooks')");
    is_deeply($set_up->(has_read => 'false', has_mirror => 'true', mirror => 'https://mirror.example.org/feeds'), [ '', '' ],
        'it may be set up again');
    is($node->safe_psql('clair', $roles) . '; ' . $node->safe_psql('clair', $jobs),
        "clair_administer false, clair_index false, clair_read false, clair_schedule true; $clean; $update",
        'a password that is gone lets nobody in, and what an administrator has unscheduled stays so');
    is($node->safe_psql('clair', "SELECT count(*) > 5 FROM clair.updater WHERE url LIKE 'https://mirror.example.org/feeds/%'"), 't',
        'feeds come from the mirror that was named');
    is_deeply([ grep { /first'+password/ } slurp_file($node->logfile) ], [], 'no password is logged');
    $node->stop('fast');
}

done_testing();
