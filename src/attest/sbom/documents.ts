import { type Digest, hexOf } from '../../core/digest.ts';
import type { SbomFormat } from '../../core/options.ts';
import type { Attestation } from '../../oci/attestation.ts';
import { type Package, purlOf } from './package.ts';

/** What an image holds, for the documents that say so. */
export interface Inventory {
  /** What the image is called. */
  readonly name: string;
  /** Of its configuration: the same image, the same documents. */
  readonly id: Digest;
  readonly packages: readonly Package[];
  /** ISO time. */
  readonly created: string;
  /** Name and version of what looked. */
  readonly tool: { readonly name: string; readonly version: string };
}

export async function sbomOf(format: SbomFormat, inventory: Inventory): Promise<Attestation> {
  return format === 'spdx'
    ? { predicateType: 'https://spdx.dev/Document', predicate: await spdx(inventory) }
    : { predicateType: 'https://cyclonedx.org/bom', predicate: await cyclonedx(inventory) };
}

/** SPDX 2.3: the image, and that it contains each package. Licenses that are no known expression are left open. */
async function spdx({ name, id, packages, created, tool }: Inventory): Promise<object> {
  const { SPDX } = await import('@cyclonedx/cyclonedx-library');
  const image = 'SPDXRef-Image';
  const common = {
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    licenseConcluded: 'NOASSERTION',
    copyrightText: 'NOASSERTION',
  };
  const listed = packages.map((one, i) => ({
    SPDXID: `SPDXRef-Package-${i + 1}`,
    name:
      one.type === 'npm' || one.type === 'golang'
        ? [one.namespace, one.name].filter(Boolean).join('/')
        : one.name,
    versionInfo: one.version,
    ...common,
    licenseDeclared: knownLicense(one.license, SPDX) ?? 'NOASSERTION',
    sourceInfo: `found in ${one.path}`,
    externalRefs: [
      { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purlOf(one) },
    ],
  }));
  const relation = (spdxElementId: string, relationshipType: string, relatedSpdxElement: string) => ({
    spdxElementId,
    relationshipType,
    relatedSpdxElement,
  });
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name,
    documentNamespace: `https://spdx.org/spdxdocs/${tool.name}-${hexOf(id)}`,
    creationInfo: {
      created: created.replace(/\.\d+Z$/, 'Z'),
      creators: [`Tool: ${tool.name}-${tool.version}`],
    },
    packages: [
      { SPDXID: image, name, ...common, licenseDeclared: 'NOASSERTION', primaryPackagePurpose: 'CONTAINER' },
      ...listed,
    ],
    relationships: [
      relation('SPDXRef-DOCUMENT', 'DESCRIBES', image),
      ...listed.map(({ SPDXID }) => relation(image, 'CONTAINS', SPDXID)),
    ],
  };
}

/** CycloneDX 1.6. */
async function cyclonedx({ name, id, packages, created, tool }: Inventory): Promise<object> {
  const { Enums, Models, Serialize, Spec, SPDX } = await import('@cyclonedx/cyclonedx-library');
  const { ComponentType } = Enums;
  const components = packages.map((one) => {
    const { license } = one;
    const known = knownLicense(license, SPDX);
    const component = new Models.Component(ComponentType.Library, one.name, {
      purl: purlOf(one),
      version: one.version,
      bomRef: `${purlOf(one)}#${one.path}`,
      ...(one.namespace !== undefined && { group: one.namespace }),
    });
    if (known !== undefined) component.licenses.add(new Models.SpdxLicense(known));
    else if (license) component.licenses.add(new Models.NamedLicense(license));
    component.properties.add(new Models.Property(`${tool.name}:path`, one.path));
    return component;
  });
  const metadata = new Models.Metadata({
    timestamp: new Date(created),
    component: new Models.Component(ComponentType.Container, name, { version: id, bomRef: id }),
  });
  metadata.tools.tools.add(new Models.Tool({ name: tool.name, version: tool.version }));
  const bom = new Models.Bom({
    metadata,
    serialNumber: uuidOf(id),
    components: new Models.ComponentRepository(components),
  });
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return JSON.parse(serializer.serialize(bom, { sortLists: true })) as object;
}

/** The SPDX id of a license; the library looks words like `constructor` up in an object, and finds what every object has. */
function knownLicense(
  license: string | undefined,
  { fixupSpdxId, isSupportedSpdxId }: Ids,
): string | undefined {
  const id: unknown = fixupSpdxId(license);
  return typeof id === 'string' && isSupportedSpdxId(id) ? id : undefined;
}

type Ids = typeof import('@cyclonedx/cyclonedx-library').SPDX;

/** A UUID (RFC 9562, version 8) made of a digest: the same image has the same. */
function uuidOf(id: Digest): string {
  const hex = hexOf(id);
  const groups = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return `urn:uuid:${groups.join('-')}`;
}
