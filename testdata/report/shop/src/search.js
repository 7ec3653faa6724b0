export const search = () => "search";
